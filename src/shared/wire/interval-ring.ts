import type { HeldRange, Interval } from '../model/messages.js';
import { encodePayload } from './codec.js';
import { pack } from './compression.js';
import type { Packed } from './compression.js';
import { HeldRanges } from './held-ranges.js';
import { adjacent, mergeIntervals } from './merge-intervals.js';
import type { MergeHistograms } from './merge-intervals.js';
import type { Outgoing } from './outgoing.js';

/** How many unacknowledged intervals are kept (2-protocol §2). */
export const ringLimit = 1000;

/** Intervals share a frame only up to here: on the slowest links a heartbeat would wait too long behind it. */
export const sharedFrameBytes = 4096;

interface RingEntry {
  readonly interval: Interval;
  /** Serialised alone; made when it is first asked for. */
  plain: Buffer | undefined;
  /** Not to wait for others that could share its frame. */
  urgent: boolean;
  /** Sequence on the present stream; undefined: waiting to be written. */
  sequence: bigint | undefined;
  /** When the present stream could have taken it; undefined: there was none since. */
  offeredAtMs: number | undefined;
  /** The peer may hold it already, so its range must not change any more. */
  everWritten: boolean;
}

/** One interval, or those that share a frame: where several may, one that goes alone says by its kind that others may wait. */
export interface LiveFrame {
  readonly kind: 'interval' | 'intervals';
  readonly entries: readonly RingEntry[];
  readonly packed: Packed;
  readonly plainBytes: number;
  /** The heartbeat that rides in it. */
  readonly beside: Outgoing | undefined;
}

/**
 * The intervals that the peer has not acknowledged, oldest first; those written on this stream come before those that
 * wait. When there are too many, the two oldest that were never written become one: less detail on the time line, nothing
 * lost.
 */
export class IntervalRing {
  readonly #mergeHistograms: MergeHistograms;
  #entries: RingEntry[] = [];
  /** What `next` gave last. */
  #frame: LiveFrame | undefined;
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

  /** Some are to be written, now or when there are enough for a frame. */
  get isWaiting(): boolean {
    const last = this.#entries.at(-1);
    return last !== undefined && last.sequence === undefined;
  }

  add(interval: Interval): void {
    this.#entries.push(newEntry(interval));
    if (this.#entries.length > ringLimit) this.#shrink();
  }

  /** Nothing more is to be expected for a while: what waits does not wait for others. */
  hurry(): void {
    for (const entry of this.#entries) entry.urgent = true;
  }

  /**
   * The oldest that wait, ready to be written. Fewer than `perFrame` go alone when nothing else is on its way, or when
   * they are urgent: as one frame goes out for each one that is acknowledged, no interval waits longer than a round trip.
   * @param beside rides in the frame
   */
  next(perFrame: number, nowMs: number, beside?: Outgoing): LiveFrame | undefined {
    for (let index = this.#entries.length - 1; index >= 0; index -= 1) {
      const entry = this.#entries[index];
      if (entry?.offeredAtMs !== undefined) break;
      if (entry) entry.offeredAtMs = nowMs;
    }
    const first = this.#entries.findIndex(({ sequence }) => sequence === undefined);
    const oldest = this.#entries[first];
    if (!oldest) return undefined;
    const waiting = this.#entries.length - first;
    if (waiting < perFrame && first > 0 && !oldest.urgent) return undefined;
    // The last ones of a stage each have a frame: a controller waits for them only as long as they keep coming.
    const many = oldest.urgent ? 1 : perFrame;
    const entries = thatFit(this.#entries.slice(first, first + many));
    const kind = perFrame === 1 ? 'interval' : 'intervals';
    const made = this.#frame;
    const isSame = made?.kind === kind && made.beside === beside && areSame(made.entries, entries);
    return isSame ? made : (this.#frame = frameOf(kind, entries, beside));
  }

  wrote({ entries }: LiveFrame, sequence: bigint): void {
    for (const entry of entries) {
      entry.sequence = sequence;
      entry.everWritten = true;
    }
  }

  /**
   * The peer has processed everything up to `sequence`.
   * @returns how long the newest of it took from when the stream could have taken it, in ms; undefined: there was nothing
   */
  seen(sequence: bigint, nowMs: number): number | undefined {
    const first = this.#entries.findIndex(
      (entry) => entry.sequence === undefined || entry.sequence > sequence,
    );
    const newest = this.#entries.splice(0, first === -1 ? this.#entries.length : first).at(-1);
    return newest?.offeredAtMs === undefined ? undefined : nowMs - newest.offeredAtMs;
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
    for (const entry of this.#entries) entry.offeredAtMs = undefined;
  }

  #shrink(): void {
    for (let index = 0; index + 1 < this.#entries.length; index += 1) {
      const [earlier, later] = [this.#entries[index], this.#entries[index + 1]];
      if (!earlier || !later || earlier.everWritten || later.everWritten) continue;
      if (!adjacent(earlier.interval, later.interval)) continue;
      const joined = mergeIntervals(earlier.interval, later.interval, this.#mergeHistograms);
      const { urgent, offeredAtMs } = later;
      const entry = { ...newEntry(joined), urgent, offeredAtMs };
      this.#entries.splice(index, 2, entry);
      this.merged += 1;
      return;
    }
    this.#entries.shift();
    this.dropped += 1;
  }
}

function newEntry(interval: Interval): RingEntry {
  return {
    interval,
    plain: undefined,
    urgent: false,
    sequence: undefined,
    offeredAtMs: undefined,
    everWritten: false,
  };
}

function plainOf(entry: RingEntry): Buffer {
  entry.plain ??= encodePayload({ kind: 'interval', ...entry.interval });
  return entry.plain;
}

/** As many as may share a frame; at least one. */
function thatFit(entries: readonly RingEntry[]): RingEntry[] {
  let bytes = 0;
  const over = entries.findIndex((entry, index) => {
    bytes += plainOf(entry).length;
    return index > 0 && bytes > sharedFrameBytes;
  });
  return entries.slice(0, over === -1 ? entries.length : over);
}

function areSame(a: readonly RingEntry[], b: readonly RingEntry[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index]);
}

function frameOf(
  kind: LiveFrame['kind'],
  entries: readonly RingEntry[],
  beside: Outgoing | undefined,
): LiveFrame {
  const [first] = entries;
  const alone =
    kind === 'interval' && first !== undefined
      ? plainOf(first)
      : encodePayload({ kind: 'intervals', intervals: entries.map(({ interval }) => interval) });
  const plain = beside?.beside ? Buffer.concat([alone, beside.beside]) : alone;
  return { kind, entries, packed: pack(plain), plainBytes: plain.length, beside };
}
