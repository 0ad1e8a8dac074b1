import { bucketCount } from '../../shared/metrics/bucket-layout.js';
import { HistogramEncoder } from '../../shared/metrics/histogram-encoding.js';
import type { ErrorCount, OperationStats } from '../../shared/model/messages.js';
import type { OperationKind } from '../../shared/model/operation.js';
import { errorCodes } from './error-codes.js';
import {
  blockBits,
  blocksPerHistogram,
  firstDue,
  firstStart,
  lastEnd,
  lateWakeUps,
} from './lane-memory.js';
import type { LaneMemory } from './lane-memory.js';

const blockSize = 1 << blockBits;
const nothing = new Uint8Array(0);

/**
 * Reads what the workers of a stage have counted, adds it up over the workers and tells what is new since the last
 * look. The count of operations is the sum of the histogram, so the two cannot disagree; bytes follow from the count,
 * where every complete operation of a kind moves the same number, and are counted apart where not.
 */
export class Sampler {
  readonly #lanes: readonly LaneMemory[];
  readonly #kinds: readonly OperationKind[];
  readonly #bytes: readonly (number | undefined)[];
  readonly #openLoop: boolean;
  /** The workers' sum as of the last look. */
  readonly #merged: Float64Array;
  /** Totals by histogram, in the order of LaneMemory. */
  readonly #totals: Float64Array;
  readonly #marks = new Int32Array(blocksPerHistogram / 4);
  readonly #sum = new Float64Array(blockSize);
  /** The lanes' marks, four to a word. */
  readonly #dirty: readonly Int32Array[];

  /** @param bytes moved by one operation of each kind; undefined: they differ */
  constructor(
    lanes: readonly LaneMemory[],
    kinds: readonly OperationKind[],
    bytes: readonly (number | undefined)[],
  ) {
    this.#lanes = lanes;
    this.#kinds = kinds;
    this.#bytes = bytes;
    this.#openLoop = lanes[0]?.shape.openLoop ?? false;
    this.#merged = new Float64Array(3 * kinds.length * bucketCount);
    this.#totals = new Float64Array(3 * kinds.length);
    this.#dirty = lanes.map(
      ({ dirty }) => new Int32Array(dirty.buffer, dirty.byteOffset, dirty.length / 4),
    );
  }

  /**
   * What came since the last sample: histograms of the difference, counters of the whole stage.
   * @param everything look at all buckets, not only at those marked as changed: for the last sample
   */
  sample(everything: boolean): readonly OperationStats[] {
    return this.#stats((histogram) => this.#difference(histogram, everything));
  }

  /** Counters and histograms of the whole stage, as of the last sample. */
  totals(): readonly OperationStats[] {
    return this.#stats((histogram) => this.#whole(histogram));
  }

  /** Operations that ended, well or not, as of the last sample. */
  get ended(): number {
    return this.#totals.subarray(0, 2 * this.#kinds.length).reduce((sum, count) => sum + count, 0);
  }

  /** Of them, those that failed. */
  get failed(): number {
    const kinds = this.#kinds.length;
    return this.#totals.subarray(kinds, 2 * kinds).reduce((sum, count) => sum + count, 0);
  }

  inFlight(nowNs: number): { readonly count: number; readonly oldestNs: number } {
    let count = 0;
    let oldestNs = 0;
    for (const { starts } of this.#lanes) {
      for (const start of starts) {
        if (start <= 0) continue;
        count++;
        oldestNs = Math.max(oldestNs, nowNs - start);
      }
    }
    return { count, oldestNs };
  }

  /** How often workers have woken up late by themselves (pacing/waiter.ts). */
  get lateWakeUps(): number {
    return this.#over(({ cells }) => cells[lateWakeUps] ?? 0);
  }

  /** When the first operation began; undefined before. */
  first(): number | undefined {
    const starts = this.#lanes.map(({ cells }) => cells[firstStart] ?? 0).filter((ns) => ns > 0);
    return starts.length === 0 ? undefined : Math.min(...starts);
  }

  /** When the first operation to begin was due by its schedule; 0 in closed loop. */
  firstDue(): number {
    const first = this.first();
    return this.#lanes.find(({ cells }) => cells[firstStart] === first)?.cells[firstDue] ?? 0;
  }

  /** When the last operation ended: of a lane that still has some in flight, not before these began. */
  last(): number {
    return this.#lanes.reduce(
      (latest, { cells, starts }) => Math.max(latest, cells[lastEnd] ?? 0, ...starts),
      0,
    );
  }

  #stats(read: (histogram: number) => Uint8Array): readonly OperationStats[] {
    const kinds = this.#kinds.length;
    return this.#kinds.map((operation, slot) => {
      const service = read(slot);
      const failed = read(kinds + slot);
      const response = this.#openLoop ? read(2 * kinds + slot) : nothing;
      const count = this.#totals[slot] ?? 0;
      return {
        operation,
        count,
        bytes: this.#moved(slot, count),
        errors: this.#errors(slot),
        missedSchedules: this.#over(
          ({ missed, unissued }) => (missed[slot] ?? 0) + (unissued[slot] ?? 0),
        ),
        unissuedSchedules: this.#over(({ unissued }) => unissued[slot] ?? 0),
        service,
        response,
        failed,
      };
    });
  }

  #moved(slot: number, count: number): number {
    const each = this.#bytes[slot];
    if (each !== undefined) return count * each;
    return this.#over(({ bytes }) => bytes[slot] ?? 0);
  }

  #over(pick: (lane: LaneMemory) => number): number {
    return this.#lanes.reduce((sum, lane) => sum + pick(lane), 0);
  }

  #errors(slot: number): readonly ErrorCount[] {
    if (this.#totals[this.#kinds.length + slot] === 0) return [];
    return errorCodes
      .map((code, i) => ({
        code,
        count: this.#over(({ errors }) => errors[slot * errorCodes.length + i] ?? 0),
      }))
      .filter(({ count }) => count > 0);
  }

  #difference(histogram: number, everything: boolean): Uint8Array {
    const marks = this.#collectMarks(histogram, everything);
    const encoder = new HistogramEncoder();
    const merged = this.#merged;
    let total = this.#totals[histogram] ?? 0;
    for (let block = 0; block < blocksPerHistogram; block++) {
      if (marks[block] === 0) continue;
      const offset = histogram * bucketCount + block * blockSize;
      const sum = this.#sumOf(offset);
      for (let i = 0; i < blockSize; i++) {
        const news = (sum[i] ?? 0) - (merged[offset + i] ?? 0);
        if (news <= 0) continue;
        merged[offset + i] = sum[i] ?? 0;
        total += news;
        encoder.put(block * blockSize + i, news);
      }
    }
    this.#totals[histogram] = total;
    return encoder.finish();
  }

  /** One block of all lanes, lane by lane along the memory. */
  #sumOf(offset: number): Float64Array {
    const sum = this.#sum.fill(0);
    for (const { counts } of this.#lanes) {
      for (let i = 0; i < blockSize; i++) sum[i]! += counts[offset + i]!;
    }
    return sum;
  }

  /** Marks are taken off before the counts are read: what is counted meanwhile is marked again for the next time. */
  #collectMarks(histogram: number, everything: boolean): Uint8Array {
    const words = this.#marks.fill(everything ? -1 : 0);
    const offset = histogram * words.length;
    for (const dirty of this.#dirty) {
      for (let i = 0; i < words.length; i++) {
        if (dirty[offset + i] !== 0) words[i]! |= Atomics.exchange(dirty, offset + i, 0);
      }
    }
    return new Uint8Array(words.buffer);
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
