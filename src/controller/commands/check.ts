import { Command } from 'commander';
import { exitCodes } from '../../shared/model/outcome.js';
import type { Plan } from '../../shared/model/plan.js';
import { cachedReads, memoryBytesOf } from '../core/cached-reads.js';
import type { CheckOutcome } from '../shell/check-fleet.js';
import { bytes } from '../view/format.js';
import { table } from '../view/table.js';
import { accessOf, addAccessOptions, type AccessOptions } from './access-options.js';
import type { CommandIo } from './command-io.js';
import { addPlanOptions, embeddedFlags, loadPlanOf, type PlanOptions } from './plan-options.js';

interface CheckOptions extends PlanOptions, AccessOptions {
  readonly verbose?: boolean;
}

/** Preflight: everything that would stop a run, found before one is started. */
export function checkCommand(io: CommandIo): Command {
  return addAccessOptions(
    addPlanOptions(
      new Command('check').description(
        'preflight on every agent: reachable, version, clock, round trip, target; exit 3 when one is not fit',
      ),
    ),
  )
    .option('-v, --verbose', 'show what is done on the way')
    .action(async (file: string, options: CheckOptions) => {
      const { plan } = await loadPlanOf(file, options, io);
      const { checkFleet } = await import('../shell/check-fleet.js');
      const access = await accessOf(options, io, plan.tls);
      const reachable = { plan, access, embeddedFlags: embeddedFlags(options) };
      const outcomes = await checkFleet(reachable, io, (level, line) => {
        if (options.verbose === true) io.stderr.write(`${level}: ${line}\n`);
      });
      io.stdout.write(describe(plan, outcomes));
      if (outcomes.some(({ problems }) => problems.length > 0)) io.exitCode = exitCodes.notStarted;
    });
}

function describe(plan: Plan, outcomes: readonly CheckOutcome[]): string {
  const head = ['agent', 'address', 'version', 'clock bound', 'round trip', 'mount', 'free', 'fit'];
  const rows = outcomes.map((outcome) => {
    const { agent, facts, clock, report } = outcome;
    return [
      agent.id,
      agent.address,
      facts?.version ?? '-',
      clock ? `+-${micros(clock.boundNs)}` : '-',
      clock ? micros(clock.roundTripNs) : '-',
      placeOf(report),
      typeof report?.freeBytes === 'number' ? bytes(report.freeBytes) : '-',
      outcome.problems.length === 0 ? 'yes' : 'NO',
    ];
  });
  const problems = outcomes.flatMap(({ agent, problems }) =>
    problems.map((problem) => `${agent.id}: ${problem}`),
  );
  const fit = outcomes.filter(({ problems }) => problems.length === 0).length;
  const memories = outcomes.map(({ agent, facts }) => ({
    plan: agent,
    memoryBytes: memoryBytesOf(facts?.host),
  }));
  const warnings = cachedReads(plan, plan.stages, memories).map((line) => `WARNING: ${line}`);
  const verdict = `${fit}/${outcomes.length} agents are fit to run`;
  return [...table([head, ...rows], ''), ...problems, ...warnings, verdict]
    .map((line) => `${line}\n`)
    .join('');
}

function placeOf(report: CheckOutcome['report']): string {
  if (report?.mount) return `${report.mount.type} on ${report.mount.point}`;
  const [first, ...others] = report?.given ?? [];
  if (first === undefined) return '-';
  const size = bytes(report?.given?.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) ?? 0);
  return others.length === 0 ? `${first.path}, ${size}` : `${first.path} … (${size})`;
}

function micros(ns: number): string {
  return ns < 1e6 ? `${(ns / 1e3).toFixed(0)} us` : `${(ns / 1e6).toFixed(1)} ms`;
}
