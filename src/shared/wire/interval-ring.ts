import type { HeldRange, Interval } from '../model/messages.js';
import { encodePayload } from './codec.js';
import { pack } from './compression.js';
import type { Packed } from './compression.js';
import { HeldRanges } from './held-ranges.js';
import { adjacent, mergeIntervals } from './merge-intervals.js';
import type { MergeHistograms } from './merge-intervals.js';

/** How many unacknowledged intervals are kept (2-protocol §2). */
export const ringLimit = 1000;

export interface RingEntry {
  interval: Interval;
  /** What would be written; made when it is first asked for, forgotten by a merge. */
  packed: Packed | undefined;
  plainBytes: number;
  /** Sequence on the present stream; undefined: waiting to be written. */
  sequence: bigint | undefined;
  /** The peer may hold it already, so its range must not change any more. */
  everWritten: boolean;
}

/**
 * The intervals that the peer has not acknowledged, oldest first. When there are too many, the two oldest that were never
 * written become one: less detail on the time line, nothing lost.
 */
export class IntervalRing {
  readonly #mergeHistograms: MergeHistograms;
  #entries: RingEntry[] = [];
  /** Intervals that were joined to another one. */
  merged = 0;
  /** Intervals given up because nothing could be joined. */
  dropped = 0;

  constructor(mergeHistograms: MergeHistograms) {
    this.#mergeHistograms = mergeHistograms;
  }

  get size(): number {
    return this.#entries.length;
  }

  add(interval: Interval): void {
    this.#entries.push({
      interval,
      packed: undefined,
      plainBytes: 0,
      sequence: undefined,
      everWritten: false,
    });
    if (this.#entries.length > ringLimit) this.#shrink();
  }

  /** The oldest one that waits, ready to be written. */
  next(): RingEntry | undefined {
    const entry = this.#entries.find(({ sequence }) => sequence === undefined);
    if (entry && !entry.packed) {
      const plain = encodePayload({ kind: 'interval', ...entry.interval });
      entry.plainBytes = plain.length;
      entry.packed = pack(plain);
    }
    return entry;
  }

  wrote(entry: RingEntry, sequence: bigint): void {
    entry.sequence = sequence;
    entry.everWritten = true;
  }

  /** The peer has processed everything up to `sequence`. */
  seen(sequence: bigint): void {
    const first = this.#entries[0];
    if (!first) return;
    this.#entries = this.#entries.filter(
      (entry) => entry.sequence === undefined || entry.sequence > sequence,
    );
  }

  /** What was written after `sequence` did not arrive whole: it waits again. */
  lost(sequence: bigint): void {
    for (const entry of this.#entries) {
      if (entry.sequence !== undefined && entry.sequence > sequence) entry.sequence = undefined;
    }
  }

  /** A new stream: everything waits again but for what the peer holds. */
  restart(held: readonly HeldRange[]): void {
    const ranges = new HeldRanges(held);
    this.#entries = this.#entries.filter((entry) => !ranges.covers(entry.interval));
    this.lost(0n);
  }

  #shrink(): void {
    for (let index = 0; index + 1 < this.#entries.length; index += 1) {
      const [earlier, later] = [this.#entries[index], this.#entries[index + 1]];
      if (!earlier || !later || earlier.everWritten || later.everWritten) continue;
      if (!adjacent(earlier.interval, later.interval)) continue;
      earlier.interval = mergeIntervals(earlier.interval, later.interval, this.#mergeHistograms);
      earlier.packed = undefined;
      this.#entries.splice(index + 1, 1);
      this.merged += 1;
      return;
    }
    this.#entries.shift();
    this.dropped += 1;
  }
}
