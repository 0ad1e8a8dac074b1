import type { Buckets } from '../../shared/metrics/buckets.js';
import { readBuckets } from '../../shared/metrics/histogram-encoding.js';
import type { Histogram } from '../../shared/metrics/histogram.js';
import type { OperationStats } from '../../shared/model/messages.js';

/** One operation of an interval with its histograms decoded, once for all that need them. */
export interface DecodedStats {
  readonly stats: OperationStats;
  readonly service: Buckets;
  readonly response: Buckets;
  readonly failed: Buckets;
}

/** @throws HistogramFormatError */
export function decodeStats(stats: OperationStats): DecodedStats {
  return {
    stats,
    service: readBuckets(stats.service),
    response: readBuckets(stats.response),
    failed: readBuckets(stats.failed),
  };
}

/** What percentiles shown as "the" latency are of: response times where there are any (open loop). */
export function headline({ service, response }: DecodedStats): Buckets {
  return response.total > 0 ? response : service;
}

export function addTo(histogram: Histogram, buckets: Buckets): void {
  for (let at = 0; at < buckets.length; at++) {
    histogram.addBucket(buckets.indexes[at] ?? 0, buckets.counts[at] ?? 0);
  }
}
