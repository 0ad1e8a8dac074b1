import { highestOf, middleOf } from '../../shared/metrics/bucket-layout.js';
import type { Buckets } from '../../shared/metrics/buckets.js';
import { readBuckets } from '../../shared/metrics/histogram-encoding.js';
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
  return latencyOfBuckets(readBuckets(histogram.encode()));
}

const percentiles = [50, 90, 99, 99.9] as const;

/** All statistics in one pass; the same values as Histogram's own, one by one. */
export function latencyOfBuckets({
  indexes,
  counts,
  length,
  total,
}: Buckets): LatencySummary | null {
  if (total === 0) return null;
  const values: number[] = [];
  let rank = rankOf(percentiles[0], total);
  let seen = 0;
  let sum = 0;
  for (let at = 0; at < length; at++) {
    const index = indexes[at] ?? 0;
    const count = counts[at] ?? 0;
    sum += middleOf(index) * count;
    seen += count;
    while (seen >= rank) {
      values.push(highestOf(index));
      const next = percentiles[values.length];
      rank = next === undefined ? Infinity : rankOf(next, total);
    }
  }
  const [p50 = 0, p90 = 0, p99 = 0, p99_9 = 0] = values;
  const max = highestOf(indexes[length - 1] ?? 0);
  return { mean: Math.round(sum / total), p50, p90, p99, p99_9, max };
}

/** 99th percentile; undefined when nothing was recorded. */
export function p99Of({ indexes, counts, length, total }: Buckets): number | undefined {
  const rank = rankOf(99, total);
  let seen = 0;
  for (let at = 0; at < length; at++) {
    seen += counts[at] ?? 0;
    if (seen >= rank) return highestOf(indexes[at] ?? 0);
  }
  return undefined;
}

/** As Histogram.percentile: half a unit in the last place is taken off, or 99.9 % of 1000 would be rank 1000. */
function rankOf(p: number, total: number): number {
  const exact = (p / 100) * total;
  return Math.max(1, Math.ceil(exact - exact * Number.EPSILON));
}
