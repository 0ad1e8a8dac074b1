import type { OperationKind } from '../../shared/model/operation.js';
import { meanRate } from '../../shared/model/pacing.js';
import type { StageRates } from './stage-rates.js';
import type { AgentTrack, StageTrack } from './stage-track.js';

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
  /** Divisions over other agents than all of the run: at the start, or when one was lost. */
  readonly divisions: readonly RateDivisionSummary[];
}

export interface RateDivisionSummary {
  /** Since the measured second 0; 0 when it was so from the start. */
  readonly after_s: number;
  /** Ids of those that shared the rate from then on. */
  readonly agents: readonly string[];
}

export function rateSummary(
  track: StageTrack,
  agents: readonly AgentTrack[],
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
    divisions: track.divisions.map((one) => ({
      after_s: Math.max(0, Math.round(one.atMs - (track.measuredAtMs ?? one.atMs)) / 1000),
      agents: one.agents.flatMap((index) => agents[index]?.plan.id ?? []),
    })),
  };
}

function rounded(perSecond: number): number {
  return Math.round(perSecond * 1000) / 1000;
}
