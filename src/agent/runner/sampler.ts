import { bucketCount } from '../../shared/metrics/bucket-layout.js';
import { HistogramEncoder } from '../../shared/metrics/histogram-encoding.js';
import type { ErrorCount, OperationStats } from '../../shared/model/messages.js';
import type { OperationKind } from '../../shared/model/operation.js';
import { errorCodes } from './error-codes.js';
import { blockBits, blocksPerHistogram, firstStart, lastEnd, opStart } from './shared-memory.js';
import type { LaneMemory } from './shared-memory.js';

const blockSize = 1 << blockBits;
const nothing = new Uint8Array(0);

/**
 * Reads what the workers of a stage have counted, adds it up over the workers and tells what is new since the last
 * look. The count of operations is the sum of the histogram, so the two cannot disagree; bytes follow from the count,
 * because a complete operation of a kind always moves the same number.
 */
export class Sampler {
  readonly #lanes: readonly LaneMemory[];
  readonly #kinds: readonly OperationKind[];
  readonly #bytes: readonly number[];
  /** The workers' sum as of the last look. */
  readonly #merged: Float64Array;
  /** Totals by histogram: completed by kind, then failed by kind. */
  readonly #totals: Float64Array;
  readonly #marks = new Uint8Array(blocksPerHistogram);

  /** @param bytes moved by one operation of each kind */
  constructor(
    lanes: readonly LaneMemory[],
    kinds: readonly OperationKind[],
    bytes: readonly number[],
  ) {
    this.#lanes = lanes;
    this.#kinds = kinds;
    this.#bytes = bytes;
    this.#merged = new Float64Array(2 * kinds.length * bucketCount);
    this.#totals = new Float64Array(2 * kinds.length);
  }

  /**
   * What came since the last sample: histograms of the difference, counters of the whole stage.
   * @param everything look at all buckets, not only at those marked as changed: for the last sample
   */
  sample(everything: boolean): readonly OperationStats[] {
    return this.#kinds.map((_, slot) => {
      const service = this.#difference(slot, everything);
      const failed = this.#difference(this.#kinds.length + slot, everything);
      return this.#stats(slot, service, failed);
    });
  }

  /** Counters and histograms of the whole stage, as of the last sample. */
  totals(): readonly OperationStats[] {
    return this.#kinds.map((_, slot) =>
      this.#stats(slot, this.#whole(slot), this.#whole(this.#kinds.length + slot)),
    );
  }

  /** Operations that ended, well or not, as of the last sample. */
  get ended(): number {
    return this.#totals.reduce((sum, count) => sum + count, 0);
  }

  inFlight(nowNs: number): { readonly count: number; readonly oldestNs: number } {
    const ages = this.#lanes
      .map(({ cells }) => cells[opStart] ?? 0)
      .filter((start) => start > 0)
      .map((start) => Math.max(0, nowNs - start));
    return { count: ages.length, oldestNs: ages.reduce((a, b) => Math.max(a, b), 0) };
  }

  /** When the first operation began; undefined before. */
  first(): number | undefined {
    const starts = this.#lanes.map(({ cells }) => cells[firstStart] ?? 0).filter((ns) => ns > 0);
    return starts.length === 0 ? undefined : Math.min(...starts);
  }

  /** When the last operation ended: of a lane that still has one in flight, the one before it. */
  last(): number {
    return this.#lanes.reduce(
      (latest, { cells }) => Math.max(latest, cells[lastEnd] ?? 0, cells[opStart] ?? 0),
      0,
    );
  }

  #stats(slot: number, service: Uint8Array, failed: Uint8Array): OperationStats {
    const count = this.#totals[slot] ?? 0;
    return {
      operation: this.#kinds[slot] ?? 'stat',
      count,
      bytes: count * (this.#bytes[slot] ?? 0),
      errors: this.#errors(slot),
      missedSchedules: 0,
      service,
      response: nothing,
      failed,
    };
  }

  #errors(slot: number): readonly ErrorCount[] {
    if (this.#totals[this.#kinds.length + slot] === 0) return [];
    return errorCodes
      .map((code, i) => ({
        code,
        count: this.#lanes.reduce(
          (sum, { errors }) => sum + (errors[slot * errorCodes.length + i] ?? 0),
          0,
        ),
      }))
      .filter(({ count }) => count > 0);
  }

  #difference(histogram: number, everything: boolean): Uint8Array {
    const marks = this.#collectMarks(histogram, everything);
    const encoder = new HistogramEncoder();
    const offset = histogram * bucketCount;
    for (let block = 0; block < blocksPerHistogram; block++) {
      if (marks[block] === 0) continue;
      for (let i = block * blockSize; i < (block + 1) * blockSize; i++) {
        let sum = 0;
        for (const { counts } of this.#lanes) sum += counts[offset + i] ?? 0;
        const news = sum - (this.#merged[offset + i] ?? 0);
        if (news <= 0) continue;
        this.#merged[offset + i] = sum;
        this.#totals[histogram] = (this.#totals[histogram] ?? 0) + news;
        encoder.put(i, news);
      }
    }
    return encoder.finish();
  }

  /** Marks are taken off before the counts are read: what is counted meanwhile is marked again for the next time. */
  #collectMarks(histogram: number, everything: boolean): Uint8Array {
    const marks = this.#marks.fill(everything ? 1 : 0);
    const offset = histogram * blocksPerHistogram;
    for (const { dirty } of this.#lanes) {
      for (let block = 0; block < blocksPerHistogram; block++) {
        if (dirty[offset + block] === 0) continue;
        Atomics.exchange(dirty, offset + block, 0);
        marks[block] = 1;
      }
    }
    return marks;
  }

  #whole(histogram: number): Uint8Array {
    const encoder = new HistogramEncoder();
    const offset = histogram * bucketCount;
    for (let i = 0; i < bucketCount; i++) {
      const count = this.#merged[offset + i] ?? 0;
      if (count > 0) encoder.put(i, count);
    }
    return encoder.finish();
  }
}
