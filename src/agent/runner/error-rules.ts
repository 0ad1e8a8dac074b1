import type { Assignment, StageAssignment } from '../../shared/model/assignment.js';
import { formatPercent } from '../../shared/model/pacing.js';
import { counted } from '../../shared/kernel/counted.js';

/** What a lane does about operations that failed or took too long. */
export interface ErrorRules {
  /** An operation that took longer is an error TIMEOUT. */
  readonly timeoutNs: number;
  /** 1 for each place in the mix whose first error ends the load. */
  readonly stopOn: Uint8Array;
}

export function errorRulesOf(
  stage: Pick<StageAssignment, 'mix' | 'stopOn'>,
  operationMs: Assignment['timeouts']['operationMs'],
): ErrorRules {
  return {
    timeoutNs: operationMs === undefined ? Infinity : operationMs * 1e6,
    stopOn: Uint8Array.from(stage.mix, ({ operation }) =>
      stage.stopOn.includes(operation) ? 1 : 0,
    ),
  };
}

export const noErrorRules: ErrorRules = { timeoutNs: Infinity, stopOn: new Uint8Array(64) };

/** Fewer operations say nothing about a rate while the stage goes on. */
const leastOperations = 100;

/** @returns why the agent fails, when more of its operations failed than may */
export function errorRateProblem(
  stage: Pick<StageAssignment, 'name' | 'maxErrorRate'>,
  { ended, failed }: { readonly ended: number; readonly failed: number },
  isOver: boolean,
): string | undefined {
  const { name, maxErrorRate } = stage;
  if (maxErrorRate === undefined || failed === 0) return undefined;
  if (failed <= maxErrorRate * ended || (!isOver && ended < leastOperations)) return undefined;
  const of = `${String(failed)} of ${counted(ended, 'operation')} failed`;
  return `stage "${name}": ${of} (${formatPercent(failed / ended)}), more than max_error_rate ${formatPercent(maxErrorRate)}`;
}
