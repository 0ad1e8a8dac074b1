import { Histogram } from '../../shared/metrics/histogram.js';
import type { Buckets } from '../../shared/metrics/buckets.js';
import type { OperationStats } from '../../shared/model/messages.js';
import type { DecodedStats } from './decoded-interval.js';

/**
 * One agent's totals of one operation in one stage. While only intervals are there: the newest cumulative counters and
 * the merged histograms. A stage result replaces both.
 */
export class OperationTotals {
  count = 0;
  bytes = 0;
  missedSchedules = 0;
  unissuedSchedules = 0;
  errors: ReadonlyMap<string, number> = new Map();
  #service: Histogram | Uint8Array = new Uint8Array();
  #response: Histogram | Uint8Array = new Uint8Array();
  #failed: Histogram | Uint8Array = new Uint8Array();

  /** `newest`: no later interval has been seen, so the counters are taken. */
  addInterval({ stats, service, response, failed }: DecodedStats, newest: boolean): void {
    if (newest) this.#take(stats);
    this.#service = sum(this.#service, service);
    this.#response = sum(this.#response, response);
    this.#failed = sum(this.#failed, failed);
  }

  /** Authoritative; the histograms stay encoded until they are read. */
  setResult(stats: OperationStats): void {
    this.#take(stats);
    this.#service = stats.service;
    this.#response = stats.response;
    this.#failed = stats.failed;
  }

  get errorCount(): number {
    let total = 0;
    for (const count of this.errors.values()) total += count;
    return total;
  }

  get service(): Histogram {
    return decoded(this.#service);
  }

  /** Empty in closed loop, where it equals `service`. */
  get response(): Histogram {
    return decoded(this.#response);
  }

  get failed(): Histogram {
    return decoded(this.#failed);
  }

  #take(stats: OperationStats): void {
    this.count = stats.count;
    this.bytes = stats.bytes;
    this.missedSchedules = stats.missedSchedules;
    this.unissuedSchedules = stats.unissuedSchedules;
    this.errors = new Map(stats.errors.map((error) => [error.code, error.count]));
  }
}

function sum(to: Histogram | Uint8Array, buckets: Buckets): Histogram | Uint8Array {
  if (buckets.length === 0) return to;
  const histogram = decoded(to);
  histogram.addBuckets(buckets);
  return histogram;
}

function decoded(histogram: Histogram | Uint8Array): Histogram {
  return histogram instanceof Histogram ? histogram : Histogram.decode(histogram);
}
