import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { MusterError, reasonOf } from '../../shared/kernel/errors.js';
import { suggestion } from '../../shared/model/config/suggest.js';
import { exitCodes } from '../../shared/model/outcome.js';
import { paintFor } from '../view/paint.js';
import { verdictTable, verdictText, type VerdictLine } from '../view/verdict-table.js';
import type { Scenario } from '../shell/rehearsal/scenario.js';
import type { CommandIo } from './command-io.js';
import { counted } from '../../shared/kernel/counted.js';

interface SelftestOptions {
  readonly only?: readonly string[];
  readonly jobs: number;
  readonly keep?: boolean;
  readonly list?: boolean;
  readonly color: boolean;
}

/** Fault rehearsal: does this installation, on this machine, lose nothing when things go wrong? */
export function selftestCommand(io: CommandIo): Command {
  return new Command('selftest')
    .description(
      'fault rehearsal with agents of its own on loopback: kill, freeze, partition, skew, disk full; exit 1 when a verdict fails',
    )
    .addOption(
      new Option('--only <names>', 'these scenarios only: a,b').argParser((text: string) =>
        text.split(',').map((name) => name.trim()),
      ),
    )
    .addOption(
      new Option('--jobs <n>', 'play so many at once (verdicts depend on a machine that keeps up)')
        .argParser(jobs)
        .default(1),
    )
    .option('--list', 'name the scenarios and what each does; play none')
    .option('--keep', 'leave the configs, results and logs of the rehearsal in place')
    .option('--no-color', 'no colours (also: NO_COLOR in the environment)')
    .action(async (options: SelftestOptions) => {
      const { scenarios } = await import('../shell/rehearsal/scenarios.js');
      const chosen = choose(scenarios, options.only);
      if (options.list === true) {
        for (const { name, fault } of chosen) io.stdout.write(`${name.padEnd(16)} ${fault}\n`);
        return;
      }
      await play(io, chosen, options);
    });
}

async function play(
  io: CommandIo,
  chosen: readonly Scenario[],
  options: SelftestOptions,
): Promise<void> {
  const { rehearseAll } = await import('../shell/rehearsal/rehearse-all.js');
  const paint = paintFor(io.stdout, io.env, !options.color);
  const verdicts = new Map<string, VerdictLine>();
  const interrupted = new AbortController();
  const offSignal = io.onSignal((signal) => {
    const name = signal === 'SIGINT' ? 'Ctrl-C' : signal;
    if (!interrupted.signal.aborted) io.stderr.write(`Received ${name} - ending the rehearsal\n`);
    interrupted.abort();
  });
  io.stderr.write(`${counted(chosen.length, 'scenario')}; each takes 10 to 40 seconds\n\n`);
  let folder: string | undefined;
  try {
    await rehearseAll({
      scenarios: chosen,
      jobs: options.jobs,
      keep: options.keep ?? false,
      clock: io.clock,
      env: io.env,
      signal: interrupted.signal,
      placed: (path) => {
        folder = path;
      },
      judged: ({ name, fault }, outcome) => {
        const line = { name, fault, outcome };
        verdicts.set(name, line);
        io.stdout.write(verdictText(line, paint));
      },
    });
    const inOrder = chosen.flatMap(({ name }) => verdicts.get(name) ?? []);
    io.stdout.write(verdictTable(inOrder, paint));
    if (inOrder.some(({ outcome }) => 'passed' in outcome && !outcome.passed)) {
      io.exitCode = exitCodes.thresholdFailed;
    }
  } catch (thrown) {
    if (!interrupted.signal.aborted) throw notRehearsed(thrown);
    io.exitCode = exitCodes.interrupted;
  } finally {
    offSignal();
    if (options.keep === true && folder !== undefined) {
      io.stdout.write(`Everything is kept in ${folder}\n`);
    }
  }
}

/** What the system refuses is no bug. */
function notRehearsed(thrown: unknown): unknown {
  if (!(thrown instanceof Error && 'syscall' in thrown)) return thrown;
  return new MusterError(`Cannot set up the rehearsal: ${reasonOf(thrown)}`, {
    exitCode: exitCodes.notStarted,
    hint: `It is played below ${tmpdir()}; TMPDIR names another folder.`,
    cause: thrown,
  });
}

function choose(
  scenarios: readonly Scenario[],
  only: readonly string[] | undefined,
): readonly Scenario[] {
  if (!only) return scenarios;
  const names = scenarios.map(({ name }) => name);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new MusterError(`There is no scenario "${unknown}"; ${suggestion(unknown, names)}`, {
      exitCode: exitCodes.usage,
      hint: 'bench-controller selftest --list names them',
    });
  }
  return scenarios.filter(({ name }) => only.includes(name));
}

function jobs(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number from 1 to 99.');
}
