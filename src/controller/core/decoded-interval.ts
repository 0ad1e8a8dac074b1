import type { Buckets } from '../../shared/metrics/buckets.js';
import type { BucketRoom } from '../../shared/metrics/histogram-encoding.js';
import type { OperationStats } from '../../shared/model/messages.js';

/** One operation of an interval with its histograms decoded, once for all that need them at that moment. */
export interface DecodedStats {
  readonly stats: OperationStats;
  readonly service: Buckets;
  readonly response: Buckets;
  readonly failed: Buckets;
}

/** @throws HistogramFormatError */
export function decodeStats(stats: OperationStats, room: BucketRoom): DecodedStats {
  return {
    stats,
    service: room.read(stats.service),
    response: room.read(stats.response),
    failed: room.read(stats.failed),
  };
}

/** What percentiles shown as "the" latency are of: response times where there are any (open loop). */
export function headline({ service, response }: DecodedStats): Buckets {
  return response.total > 0 ? response : service;
}
