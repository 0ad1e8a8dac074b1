import type { Expectation, Plan } from '../../shared/model/plan.js';
import { grouped } from '../../shared/model/units.js';
import type { StageSummary } from './summary.js';

/** `stage fill: 43 707 of 43 707 put failed (ENOSPC 43 707)`: a sentence for each operation with errors. */
export function failureWarnings({ name, operations }: StageSummary): readonly string[] {
  return Object.entries(operations)
    .filter(([, { errors }]) => errors > 0)
    .map(([operation, { count, errors, error_codes: codes }]) => {
      const causes = Object.entries(codes).map(([code, n]) => `${code} ${grouped(n)}`);
      const of = `${grouped(errors)} of ${grouped(count + errors)}`;
      return `stage ${name}: ${of} ${operation} failed (${causes.join(', ')})`;
    });
}

/**
 * Whether an operation of a stage's mix has failed each time it was tried: its numbers are none of the storage's.
 * A threshold on the stage's errors says in its place how many may be.
 */
export function isAllFailed(plan: Plan, stages: readonly StageSummary[]): boolean {
  return plan.stages.some(({ name, mix }) => {
    const operations = stages.find((stage) => stage.name === name)?.operations;
    return mix.some(({ operation }) => {
      const numbers = operations?.[operation];
      if (numbers === undefined || numbers.count > 0 || numbers.errors === 0) return false;
      return !plan.expect.some((one) => isOnErrors(one, name, operation));
    });
  });
}

function isOnErrors({ stage, operation, metric }: Expectation, name: string, of: string): boolean {
  return stage === name && metric === 'errors' && (operation ?? of) === of;
}
