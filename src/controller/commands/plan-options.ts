/** The argument and flags of every command that works on a plan. */
import { InvalidArgumentError, Option } from 'commander';
import { loadPlanFile } from '../shell/load-plan.js';
import type { Command } from 'commander';
import type { LoadedPlan } from '../shell/load-plan.js';
import type { RunMode } from '../core/run-io.js';
import type { CommandIo } from './command-io.js';

/** What `addPlanOptions` puts into the options of a command. */
export interface PlanOptions {
  readonly agents?: readonly string[];
  readonly embedded?: number;
  readonly set: readonly string[];
  readonly allowExisting?: boolean;
  readonly allowDevices?: boolean;
  readonly allowDropCaches?: boolean;
}

/** Who starts agents inside the controller is the operator of their host: his consent goes on to them. */
export function embeddedFlags(options: PlanOptions): readonly string[] {
  return [
    ...(options.allowExisting === true ? ['--allow-existing'] : []),
    ...(options.allowDevices === true ? ['--allow-devices'] : []),
    ...(options.allowDropCaches === true ? ['--allow-drop-caches'] : []),
  ];
}

/** `<config> --agents a,b --embedded N --allow-existing --allow-devices --allow-drop-caches --set path=value …` */
export function addPlanOptions(command: Command): Command {
  return command
    .argument('<config>', 'YAML or JSON file, see docs/config.md')
    .addOption(
      new Option(
        '--agents <list>',
        'agents to use instead of those in the config: a,b or node[01-16]:7761',
      )
        .argParser(splitAgents)
        .conflicts('embedded'),
    )
    .addOption(
      new Option('--embedded <n>', 'start this many agents on loopback and use them').argParser(
        wholeNumber,
      ),
    )
    .option('--allow-existing', 'embedded agents may read files and devices that are there already')
    .option('--allow-devices', 'embedded agents may also write them: what is on them will be lost')
    .option(
      '--allow-drop-caches',
      'with drop_cache, embedded agents may drop the page cache of this whole host (as root)',
    )
    .addOption(
      new Option('--set <path=value>', 'override a key, such as stages.0.threads=16 (repeatable)')
        .argParser((text: string, before: readonly string[]) => [...before, text])
        .default([], 'none'),
    );
}

/** Throws PlanError or MusterError (exit code 2); warnings go to stderr: all are of what `cleanup` does not do. */
export async function loadPlanOf(
  file: string,
  options: PlanOptions,
  io: Pick<CommandIo, 'env' | 'stderr'>,
  mode: RunMode = 'run',
): Promise<LoadedPlan> {
  const loaded = await loadPlanFile({
    file,
    env: io.env,
    sets: options.set,
    agentsOverride: options.agents,
    embedded: options.embedded,
  });
  for (const warning of mode === 'cleanup' ? [] : loaded.warnings) {
    io.stderr.write(`WARNING: ${warning}\n`);
  }
  return loaded;
}

/** At commas, but not at those inside [ ]. */
export function splitAgents(text: string): string[] {
  return text
    .split(/,(?![^[]*\])/)
    .map((agent) => agent.trim())
    .filter((agent) => agent !== '');
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number.');
}
