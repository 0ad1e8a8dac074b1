import type { OperationKind } from '../../shared/model/operation.js';
import { meanRate } from '../../shared/model/pacing.js';
import type { StageRates } from './stage-rates.js';
import type { StageTrack } from './stage-track.js';

/** A rate-limited stage, over all its operations. */
export interface RateSummary {
  readonly unit: 'operations' | 'bytes';
  readonly arrival: 'constant' | 'poisson';
  /** Of the whole run, mean over the stage's duration. */
  readonly planned_per_second: number;
  /** The headline rate in the same unit. */
  readonly achieved_per_second: number;
  readonly missed_schedules: number;
  readonly unissued_schedules: number;
}

export function rateSummary(
  track: StageTrack,
  operations: readonly OperationKind[],
  rates: StageRates,
): RateSummary | null {
  const { rate, arrival } = track.plan;
  if (rate === undefined) return null;
  const totals = operations.flatMap((operation) =>
    [...track.agents.values()].flatMap((stage) => stage.totals.get(operation) ?? []),
  );
  const achieved = operations
    .map((operation) => rates.all(operation))
    .reduce((sum, { count, bytes }) => sum + (rate.unit === 'bytes' ? bytes : count), 0);
  return {
    unit: rate.unit,
    arrival,
    planned_per_second: rounded(meanRate(rate)),
    achieved_per_second: rounded(achieved),
    missed_schedules: totals.reduce((sum, one) => sum + one.missedSchedules, 0),
    unissued_schedules: totals.reduce((sum, one) => sum + one.unissuedSchedules, 0),
  };
}

function rounded(perSecond: number): number {
  return Math.round(perSecond * 1000) / 1000;
}
