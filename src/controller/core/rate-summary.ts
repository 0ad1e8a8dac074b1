import type { OperationKind } from '../../shared/model/operation.js';
import { isConstant, meanRate } from '../../shared/model/pacing.js';
import type { Rate } from '../../shared/model/pacing.js';
import { RateCourse } from '../../shared/model/rate-course.js';
import type { StageRates } from './stage-rates.js';
import type { AgentTrack, StageTrack } from './stage-track.js';

/** A rate-limited stage, over all its operations. */
export interface RateSummary {
  readonly unit: 'operations' | 'bytes';
  readonly arrival: 'constant' | 'poisson';
  /** Of the whole run, mean over the time that `achieved_per_second` is formed over. */
  readonly planned_per_second: number;
  /** The headline rate in the same unit, the gap after the last operations included. */
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
  const planned = plannedRate(rate, track, rates);
  return {
    unit: rate.unit,
    arrival,
    planned_per_second: rounded(planned),
    achieved_per_second: rounded(achievedRate(rate.unit, planned, track, operations, rates)),
    missed_schedules: totals.reduce((sum, one) => sum + one.missedSchedules, 0),
    unissued_schedules: totals.reduce((sum, one) => sum + one.unissuedSchedules, 0),
    divisions: track.divisions.map((one) => ({
      after_s: Math.max(0, Math.round(one.atMs - (track.measuredAtMs ?? one.atMs)) / 1000),
      agents: one.agents.flatMap((index) => agents[index]?.plan.id ?? []),
    })),
  };
}

/** A course that was cut short (Ctrl-C, a lost agent, another limit) was never to have the mean of all of it. */
function plannedRate(rate: Rate, { plan }: StageTrack, rates: StageRates): number {
  if (isConstant(rate) || plan.durationMs === undefined) return meanRate(rate);
  const durationS = plan.durationMs / 1000;
  const course = new RateCourse(rate, durationS * 1e9);
  const parts =
    rates.seconds > 0 ? rates.wholeParts : [{ from: 0, until: Math.min(rates.endS, durationS) }];
  const seconds = parts.reduce((sum, { from, until }) => sum + until - from, 0);
  const due = parts.reduce(
    (sum, { from, until }) => sum + course.between(from * 1e9, until * 1e9),
    0,
  );
  return seconds === 0 ? meanRate(rate) : due / seconds;
}

/**
 * n evenly spaced operations have n - 1 gaps between them: from the first to the last they are faster than the schedule
 * by one operation for each thread, which has a schedule of its own. With the gap after the last one they are not.
 */
function achievedRate(
  unit: Rate['unit'],
  planned: number,
  { plan, agents }: StageTrack,
  operations: readonly OperationKind[],
  rates: StageRates,
): number {
  const measured = operations.map((operation) => rates.all(operation));
  const count = measured.reduce((sum, one) => sum + one.count, 0);
  const bytes = measured.reduce((sum, one) => sum + one.bytes, 0);
  const achieved = unit === 'bytes' ? bytes : count;
  if (plan.arrival !== 'constant' || count === 0) return achieved;
  const each = achieved / count;
  const ahead = ((achieved - planned) * rates.spanS) / each;
  const threads = [...agents.values()].reduce((sum, agent) => sum + agent.threads, 0);
  // A whole number but for the rounding of the division.
  return ahead < threads + 1e-6 ? Math.min(achieved, planned) : achieved;
}

function rounded(perSecond: number): number {
  return Math.round(perSecond * 1000) / 1000;
}
