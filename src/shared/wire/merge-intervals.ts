import type { Interval, OperationStats } from '../model/messages.js';

/** Adds two encoded histograms; shared/metrics has it. */
export type MergeHistograms = (a: Uint8Array, b: Uint8Array) => Uint8Array;

/** May `later` be joined to `earlier`: same stage, and nothing between them? */
export function adjacent(earlier: Interval, later: Interval): boolean {
  return earlier.stage === later.stage && earlier.last + 1 === later.first;
}

/**
 * One interval for two adjacent ones. Counters are cumulative, so the later ones are right for both; histograms are
 * deltas and are added, as are times and numbers of times; of the gauges the worst is kept, CPU shares are averaged over the seconds they cover.
 */
export function mergeIntervals(a: Interval, b: Interval, merge: MergeHistograms): Interval {
  const secondsA = a.last - a.first + 1;
  const secondsB = b.last - b.first + 1;
  const average = (of: (interval: Interval) => number): number =>
    (of(a) * secondsA + of(b) * secondsB) / (secondsA + secondsB);
  return {
    stage: a.stage,
    first: a.first,
    last: b.last,
    operations: mergeOperations(a.operations, b.operations, merge),
    inFlight: b.inFlight,
    oldestInFlightNs: Math.max(a.oldestInFlightNs, b.oldestInFlightNs),
    sampledLateNs: Math.max(a.sampledLateNs, b.sampledLateNs),
    runnerCpu: average((interval) => interval.runnerCpu),
    hostCpu: average((interval) => interval.hostCpu),
    runnerLoopDelayNs: Math.max(a.runnerLoopDelayNs, b.runnerLoopDelayNs),
    busiestThreadCpu: average((interval) => interval.busiestThreadCpu),
    lateWakeUps: a.lateWakeUps + b.lateWakeUps,
    runnerGcNs: a.runnerGcNs + b.runnerGcNs,
    controlLoopDelayNs: Math.max(a.controlLoopDelayNs, b.controlLoopDelayNs),
    controlGcNs: a.controlGcNs + b.controlGcNs,
  };
}

function mergeOperations(
  earlier: readonly OperationStats[],
  later: readonly OperationStats[],
  merge: MergeHistograms,
): OperationStats[] {
  const byName = new Map(earlier.map((stats) => [stats.operation, stats]));
  for (const stats of later) {
    const before = byName.get(stats.operation);
    byName.set(stats.operation, before ? addHistograms(before, stats, merge) : stats);
  }
  return [...byName.values()];
}

function addHistograms(
  earlier: OperationStats,
  later: OperationStats,
  merge: MergeHistograms,
): OperationStats {
  // An empty field is no histogram at all, which is not the same as an encoded one without samples.
  const add = (a: Uint8Array, b: Uint8Array): Uint8Array => {
    if (a.length === 0) return b;
    return b.length === 0 ? a : merge(a, b);
  };
  return {
    ...later,
    service: add(earlier.service, later.service),
    response: add(earlier.response, later.response),
    failed: add(earlier.failed, later.failed),
  };
}
