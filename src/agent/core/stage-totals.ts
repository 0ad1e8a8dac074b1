import type { OperationKind } from '../../shared/model/operation.js';
import type {
  EndedBy,
  Interval,
  OperationStats,
  StageResult,
} from '../../shared/model/messages.js';
import type { HistogramSum } from './session-io.js';

type HistogramName = 'service' | 'response' | 'failed';

interface OperationTotals {
  /** Cumulative counters as last reported; its histograms are of one interval only and not used. */
  latest: OperationStats;
  readonly sums: Map<HistogramName, HistogramSum>;
}

/**
 * What the runner has reported about the stage it is in, kept so that a runner that dies without a stage result still
 * leaves one: counters as last reported, histograms added up over the intervals.
 */
export class StageTotals {
  readonly stage: number;
  readonly #createHistogram: () => HistogramSum;
  readonly #operations = new Map<OperationKind, OperationTotals>();
  readonly #atNs: bigint;
  #firstOperationNs = 0n;
  #intervals = 0;
  /** Of them, up to the last one in which an operation ended. */
  #busyIntervals = 0;
  #inFlight = 0;

  /** `atNs`: the instant measured second 0 was to begin. */
  constructor(stage: number, atNs: bigint, createHistogram: () => HistogramSum) {
    this.stage = stage;
    this.#atNs = atNs;
    this.#createHistogram = createHistogram;
  }

  started(firstOperationNs: bigint): void {
    this.#firstOperationNs = firstOperationNs;
  }

  inFlight(count: number): void {
    this.#inFlight = count;
  }

  add(interval: Interval): void {
    this.#intervals = interval.last + 1;
    this.#inFlight = interval.inFlight;
    for (const stats of interval.operations) {
      if (stats.service.length + stats.failed.length > 0) this.#busyIntervals = this.#intervals;
      let totals = this.#operations.get(stats.operation);
      if (!totals) {
        totals = { latest: stats, sums: new Map() };
        this.#operations.set(stats.operation, totals);
      }
      totals.latest = stats;
      this.#sum(totals, 'service', stats.service);
      this.#sum(totals, 'response', stats.response);
      this.#sum(totals, 'failed', stats.failed);
    }
  }

  /**
   * The result of a stage whose runner said nothing more. The last operation's instant is not known to control: the end
   * of the last interval stands in for it, never before the first operation.
   */
  result(endedBy: EndedBy, warning: string): StageResult {
    return {
      stage: this.stage,
      endedBy,
      atNs: this.#atNs,
      firstOperationNs: this.#firstOperationNs,
      lastOperationNs: this.#lastOperationNs(endedBy),
      intervals: this.#intervals,
      abandoned: this.#inFlight,
      operations: [...this.#operations.values()].map((totals) => ({
        ...totals.latest,
        service: encoded(totals, 'service'),
        response: encoded(totals, 'response'),
        failed: encoded(totals, 'failed'),
      })),
      warmup: [],
      mechanism: '',
      warnings: [warning],
      endedNs: 0n,
      syncs: new Uint8Array(),
    };
  }

  #lastOperationNs(endedBy: EndedBy): bigint {
    if (this.#firstOperationNs === 0n) return 0n;
    // A stall under load is part of it; the seconds of a drain in which nothing ended are not.
    const intervals = endedBy === 'drained' ? this.#busyIntervals : this.#intervals;
    const sampledUntilNs = this.#atNs + BigInt(intervals) * 1_000_000_000n;
    return sampledUntilNs > this.#firstOperationNs ? sampledUntilNs : this.#firstOperationNs;
  }

  #sum(totals: OperationTotals, name: HistogramName, delta: Uint8Array): void {
    if (delta.length === 0) return;
    let sum = totals.sums.get(name);
    if (!sum) {
      sum = this.#createHistogram();
      totals.sums.set(name, sum);
    }
    sum.add(delta);
  }
}

function encoded(totals: OperationTotals, name: HistogramName): Uint8Array {
  return totals.sums.get(name)?.encode() ?? new Uint8Array();
}
