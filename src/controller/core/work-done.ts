import type { Assignment } from '../../shared/model/assignment.js';

export interface WorkSoFar {
  readonly stage: number;
  readonly elapsedMs: number;
  /** Completed in that stage. */
  readonly operations: number;
}

/** How much of its stages an agent has done, 0 … 1: by time where stages have durations, else by operations. */
export function workDone(assignment: Assignment, soFar: WorkSoFar): number {
  const durations = assignment.stages.map(({ durationMs }) => durationMs);
  const timed = durations.every((ms) => ms !== undefined);
  const weights = durations.map((ms) => (timed ? (ms ?? 0) : 1));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const before = sum(weights.slice(0, soFar.stage));
  const now = (weights[soFar.stage] ?? 0) * stageDone(assignment, soFar);
  const total = sum(weights);
  return total > 0 ? Math.min(1, (before + now) / total) : 0;
}

function stageDone(assignment: Assignment, soFar: WorkSoFar): number {
  const stage = assignment.stages[soFar.stage];
  const byTime = stage?.durationMs === undefined ? 0 : soFar.elapsedMs / stage.durationMs;
  const byCount = stage?.maxOperations ? soFar.operations / stage.maxOperations : 0;
  return Math.min(1, Math.max(0, byTime, byCount));
}
