import { Command } from 'commander';
import { exitCodes } from '../../shared/model/outcome.js';
import { printResults } from '../view/print-results.js';
import type { CommandIo } from './command-io.js';

/** Makes the files of a results folder again from its journal, also after a crash, and prints the summary. */
export function reportCommand(io: CommandIo): Command {
  return new Command('report')
    .description('make the files of a results folder again from its journal; print the summary')
    .argument('<dir>', 'results folder of a run')
    .option('--no-color', 'no colours')
    .action(async (folder: string, options: { color: boolean }) => {
      const { demandOver } = await import('../shell/run-secret.js');
      const { rebuild } = await import('../shell/rebuild.js');
      await demandOver(folder, io.clock);
      const { summary, damage, failure } = await rebuild(folder, io.clock);
      for (const sentence of damage) io.stderr.write(`WARNING: ${sentence}\n`);
      printResults({ folder, summary, failure }, 'lines', {
        ...io,
        noColor: !options.color,
        verbose: false,
      });
      if (failure !== undefined) io.exitCode = exitCodes.resultsNotWritten;
    });
}
