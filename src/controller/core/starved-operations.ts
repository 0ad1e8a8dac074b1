import type { OperationKind } from '../../shared/model/operation.js';
import type { MixEntry } from '../../shared/model/plan.js';
import type { StageSummary } from './summary.js';

const removing: ReadonlySet<OperationKind> = new Set(['delete', 'rename', 'rmdir']);
/** Less than this is the pace at which one operation makes what the other takes. */
const leastShort = 0.1;
/** Standard deviations of a binomial distribution: less is chance. */
const deviations = 5;

/**
 * `stage tidy: delete was 8.3 % of its operations, not 50.0 % (nothing was left to delete)`: while there is nothing to take, a
 * mix does one of its other operations instead (docs/engines.md), and is another one than was asked for.
 */
export function starvedOperations(
  { name, operations }: Pick<StageSummary, 'name' | 'operations'>,
  mix: readonly MixEntry[],
): readonly string[] {
  const weights = mix.reduce((sum, { weight }) => sum + weight, 0);
  const done = mix.map(({ operation }) => {
    const { count = 0, errors = 0 } = operations[operation] ?? {};
    return count + errors;
  });
  const all = done.reduce((sum, count) => sum + count, 0);
  return mix.flatMap(({ operation, weight }, i) => {
    const share = weight / weights;
    const short = all * share - (done[i] ?? 0);
    const chance = deviations * Math.sqrt(all * share * (1 - share));
    if (!removing.has(operation) || short <= Math.max(leastShort * all * share, chance)) return [];
    const was = (((done[i] ?? 0) / all) * 100).toFixed(1);
    return [
      `stage ${name}: ${operation} was ${was} % of its operations, not ${(share * 100).toFixed(1)} % (nothing was left to ${operation})`,
    ];
  });
}
