import type { Histogram } from '../../shared/metrics/histogram.js';

/** Nanoseconds; percentiles are the highest value of the bucket that holds the rank, at most 0.1 % above the true one. */
export interface LatencySummary {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p99_9: number;
  readonly max: number;
}

/** Null when nothing was recorded: no sample has no latency, not one of zero. */
export function latencyOf(histogram: Histogram): LatencySummary | null {
  if (histogram.count === 0) return null;
  return {
    mean: Math.round(histogram.mean),
    p50: histogram.percentile(50),
    p90: histogram.percentile(90),
    p99: histogram.percentile(99),
    p99_9: histogram.percentile(99.9),
    max: histogram.max,
  };
}
