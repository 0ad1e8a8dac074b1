import { Command } from 'commander';
import { exitCodes, gravest } from '../../shared/model/outcome.js';
import { printResults } from '../view/print-results.js';
import { accessOf, addAccessOptions, type AccessOptions } from './access-options.js';
import type { CommandIo } from './command-io.js';

interface RecoverOptions extends AccessOptions {
  readonly color: boolean;
  readonly verbose?: boolean;
}

/** After a crash of the controller: stops the agents, gets what they kept, and writes the partial results. */
export function recoverCommand(io: CommandIo): Command {
  return addAccessOptions(new Command('recover'))
    .description(
      'after a crash of the controller: stop its agents, fetch what they kept, write results',
    )
    .argument('<dir>', 'results folder of the run')
    .option('--no-color', 'no colours')
    .option('-v, --verbose', 'show debug lines too')
    .action(async (folder: string, options: RecoverOptions) => {
      const { recoverRun } = await import('../shell/recover-run.js');
      const { rebuild } = await import('../shell/rebuild.js');
      await recoverRun({
        folder,
        clock: io.clock,
        accessFor: (plan) => accessOf(options, io, plan.tls),
        say: (level, line) => {
          if (level === 'debug' && options.verbose !== true) return;
          const prefix = level === 'warn' || level === 'error' ? 'WARNING: ' : '';
          io.stderr.write(`${prefix}${line}\n`);
        },
      });
      const { summary, damage, failure } = await rebuild(folder, io.clock);
      for (const sentence of damage) io.stderr.write(`WARNING: ${sentence}\n`);
      printResults({ folder, summary, failure }, 'lines', {
        ...io,
        noColor: !options.color,
        verbose: false,
      });
      io.exitCode =
        failure === undefined
          ? summary.exit_code
          : gravest([summary.exit_code, exitCodes.resultsNotWritten]);
    });
}
