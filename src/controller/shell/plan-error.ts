import { MusterError } from '../../shared/kernel/errors.js';
import { exitCodes } from '../../shared/model/outcome.js';
import type { LocatedProblem } from './config-source.js';

/** Everything that is wrong with a config, one line each. */
export class PlanError extends MusterError {
  readonly problems: readonly LocatedProblem[];

  constructor(file: string, problems: readonly LocatedProblem[]) {
    const sorted = problems.toSorted((a, b) => place(a) - place(b));
    const lines = sorted.map(printProblem);
    super(
      lines.length === 1
        ? (lines[0] ?? '')
        : [`${file} has ${String(lines.length)} problems:`, ...lines].join('\n'),
      { exitCode: exitCodes.usage, hint: 'every key is explained in docs/config.md' },
    );
    this.name = 'PlanError';
    this.problems = sorted;
  }
}

/** In the order of the file, flags after it. */
function place(problem: LocatedProblem): number {
  return problem.offset ?? Number.MAX_SAFE_INTEGER;
}

export function printProblem(problem: LocatedProblem): string {
  return `${problem.where}: ${problem.message}`;
}
