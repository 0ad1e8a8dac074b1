import { Command, InvalidArgumentError, Option } from 'commander';
import { datasetHash } from '../shell/dataset-hash.js';
import { parseListenAddress } from '../../shared/wire/address.js';
import { splitPlan } from '../../shared/model/split-plan.js';
import type { RunMode } from '../core/run-io.js';
import { defaultViewMode, viewModes, type ViewMode } from '../view/create-view.js';
import { accessOf, addAccessOptions, type AccessOptions } from './access-options.js';
import type { CommandIo } from './command-io.js';
import { addPlanOptions, embeddedFlags, loadPlanOf, type PlanOptions } from './plan-options.js';
import { printPlan } from './validate.js';

const uiPort = 7762;

interface RunOptions extends PlanOptions, AccessOptions {
  readonly results?: string;
  readonly progress?: ViewMode;
  readonly dryRun?: boolean;
  readonly skipPrepare?: boolean;
  /** commander: false when --no-cleanup is given */
  readonly cleanup?: boolean;
  readonly allowPartial?: boolean;
  readonly steal?: boolean;
  /** commander: true when --ui is given without an address */
  readonly ui?: string | true;
  readonly color: boolean;
  readonly verbose?: boolean;
}

/** The main job: prepare, every stage with a synchronised start, collect, clean up, one result. */
export function runCommand(io: CommandIo): Command {
  return withCommonOptions(
    new Command('run')
      .description('run the stages of a config on all agents; Ctrl-C ends it with partial results')
      .option('--dry-run', 'print what every agent would do; no network')
      .option('--skip-prepare', 'use the dataset that prepare or an earlier run kept, and keep it')
      .option('--no-cleanup', 'keep the dataset afterwards')
      .option('--allow-partial', 'exit with 0 instead of 4 when agents were lost on the way'),
    io,
    'run',
  );
}

export function prepareCommand(io: CommandIo): Command {
  return withCommonOptions(
    new Command('prepare').description('only make the dataset, and keep it'),
    io,
    'prepare',
  );
}

export function cleanupCommand(io: CommandIo): Command {
  return withCommonOptions(
    new Command('cleanup').description(
      'only remove the dataset, by its manifest: also what an aborted run left',
    ),
    io,
    'cleanup',
  );
}

function withCommonOptions(
  command: Command,
  io: CommandIo,
  mode: Exclude<RunMode, 'check'>,
): Command {
  return addAccessOptions(addPlanOptions(command))
    .option(
      '--results <dir>',
      "where the results folder is made (default: the config's, or results)",
      named,
    )
    .addOption(
      new Option(
        '--progress <kind>',
        'how to show the run (default: bars on a terminal, lines elsewhere)',
      ).choices(viewModes),
    )
    .option('--steal', 'take agents away from the run that owns them (that run loses them)')
    .option(
      '--ui [address]',
      `show the run to browsers while it goes on (default: :${String(uiPort)}, this machine only)`,
      noConfig,
    )
    .option('--no-color', 'no colours (also: NO_COLOR in the environment)')
    .option('-v, --verbose', 'show debug lines too')
    .action(async (file: string, options: RunOptions) => {
      const loaded = await loadPlanOf(file, options, io, mode);
      const skipPrepare = options.skipPrepare ?? false;
      if (options.dryRun === true) {
        printPlan(loaded.plan, io, { skipPrepare });
        return;
      }
      const access = await accessOf(options, io, loaded.plan.tls);
      // The network's libraries take a quarter of a second to load; only a run needs them.
      const { executeRun } = await import('../shell/execute-run.js');
      io.exitCode = await executeRun({
        io,
        access,
        plan: loaded.plan,
        embeddedFlags: embeddedFlags(options),
        configText: loaded.configText,
        mode,
        resultsParent: options.results ?? loaded.plan.results.folder,
        viewMode: options.progress ?? defaultViewMode(io),
        viewOptions: {
          stdout: io.stdout,
          stderr: io.stderr,
          env: io.env,
          noColor: !options.color,
          verbose: options.verbose ?? false,
        },
        allowPartial: options.allowPartial ?? false,
        steal: options.steal ?? false,
        ui: uiAddress(options.ui),
        // What somebody prepared and kept is not removed by the run that uses it.
        cleanup: (options.cleanup ?? true) && !loaded.plan.dataset.keep && !skipPrepare,
        split: (plan, runId, creator) =>
          splitPlan(plan, runId, creator, mode, {
            datasetHash: datasetHash(plan),
            skipPrepare,
          }),
      });
    });
}

/** An unset variable of a shell. */
function named(folder: string): string {
  if (folder !== '') return folder;
  throw new InvalidArgumentError('It is empty.');
}

/** `run --ui bench.yaml` would take the config for the address. */
function noConfig(address: string): string {
  if (!/\.(ya?ml|json)$/iu.test(address)) return address;
  throw new InvalidArgumentError('It is an address such as :7762; name the config before --ui.');
}

function uiAddress(ui: RunOptions['ui']): ReturnType<typeof parseListenAddress> | undefined {
  if (ui === undefined) return undefined;
  return parseListenAddress(ui === true ? `:${String(uiPort)}` : ui, uiPort);
}
