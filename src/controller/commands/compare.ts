import { Command, InvalidArgumentError } from 'commander';
import { exitCodes } from '../../shared/model/outcome.js';
import type { CommandIo } from './command-io.js';

interface CompareOptions {
  readonly limit: number;
  readonly json?: boolean;
}

/** Two runs side by side; writes nothing. */
export function compareCommand(io: CommandIo): Command {
  return new Command('compare')
    .description(
      'two runs side by side, with what may be noise; exit 1 when B is worse beyond the limit',
    )
    .argument('<a>', 'results folder of the run to compare with')
    .argument('<b>', 'results folder of the run in question')
    .option('--limit <percent>', 'how much worse is a regression', percentOf, 5)
    .option('--json', 'print one JSON object')
    .action(async (a: string, b: string, options: CompareOptions) => {
      const { readRun } = await import('../shell/rebuild.js');
      const { compareRuns } = await import('../core/compare-runs.js');
      const { comparisonText } = await import('../view/comparison-text.js');
      const [one, other] = [await readRun(a, io.clock), await readRun(b, io.clock)];
      for (const [folder, { damage }] of [[a, one] as const, [b, other] as const]) {
        for (const sentence of damage) io.stderr.write(`WARNING: ${folder}: ${sentence}\n`);
      }
      const comparison = compareRuns(one, other, options.limit / 100);
      io.stdout.write(
        options.json === true
          ? `${JSON.stringify({ schema: 1, limit: options.limit / 100, ...comparison }, null, 2)}\n`
          : comparisonText([one.summary, other.summary], comparison),
      );
      // A gate must not open because a stage was renamed.
      if (comparison.metrics.length === 0) io.exitCode = exitCodes.usage;
      if (comparison.metrics.some(({ regression }) => regression)) {
        io.exitCode = exitCodes.thresholdFailed;
      }
    });
}

function percentOf(text: string): number {
  const percent = Number(text.replace(/\s*%$/, ''));
  if (text.trim() === '' || !(percent >= 0) || percent > 1e6) {
    throw new InvalidArgumentError('It is a percentage such as 5.');
  }
  return percent;
}
