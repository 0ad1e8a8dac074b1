export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * How long something that comes at a random time waits for the loop. Percentiles of the blockages themselves would hide
 * a long one among many short turns: in one of 150 ms a second, 15 % of all that comes waits.
 * @param blockedMs lengths of the times in which the loop did not turn, within `overMs`
 */
export function loopDelay(blockedMs: readonly number[], overMs: number): LoopDelay {
  const sorted = blockedMs.toSorted((a, b) => b - a);
  return {
    p50Ms: waitedBy(sorted, 0.5 * overMs),
    p99Ms: waitedBy(sorted, 0.01 * overMs),
    maxMs: sorted[0] ?? 0,
  };
}

/** The x for which sum(max(0, blocked - x)) is `restMs`: so much of the time, one waits longer than x. */
function waitedBy(longestFirst: readonly number[], restMs: number): number {
  let sum = 0;
  for (const [index, blocked] of longestFirst.entries()) {
    sum += blocked;
    const next = longestFirst[index + 1] ?? 0;
    // With all down to `next` cut off at x: sum - (index + 1) x = rest.
    const x = (sum - restMs) / (index + 1);
    if (x >= next) return Math.max(0, x);
  }
  return 0;
}
