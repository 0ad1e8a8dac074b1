import { Histogram } from '../../shared/metrics/histogram.js';
import type { Buckets } from '../../shared/metrics/buckets.js';
import type { SecondRange } from './range-set.js';

/** Intervals being added to; agents' clocks, links and back-fills seldom spread over more. */
const mostOpen = 8;

interface Slot extends SecondRange {
  open: Histogram | undefined;
  sealed: Uint8Array;
}

/**
 * The merged service latencies of all agents for one operation, interval by interval. Only the most recently touched
 * intervals are held open (some 10 KiB each), the rest encoded (some 2 bytes a bucket, about 1 KiB).
 */
export class SecondHistograms {
  readonly #slots = new Map<string, Slot>();
  readonly #open: Slot[] = [];

  add(range: SecondRange, buckets: Buckets): void {
    const key = `${String(range.first)}-${String(range.last)}`;
    let slot = this.#slots.get(key);
    if (!slot) {
      slot = { first: range.first, last: range.last, open: undefined, sealed: new Uint8Array() };
      this.#slots.set(key, slot);
    }
    if (buckets.length > 0) this.#opened(slot).addBuckets(buckets);
  }

  /** Merged over all intervals that lie within first … last. */
  within(range: SecondRange): Histogram {
    const merged = new Histogram();
    if (range.first === range.last) {
      const slot = this.#slots.get(`${String(range.first)}-${String(range.last)}`);
      if (slot) mergeSlot(merged, slot);
      return merged;
    }
    for (const slot of this.#slots.values()) {
      if (slot.first >= range.first && slot.last <= range.last) mergeSlot(merged, slot);
    }
    return merged;
  }

  #opened(slot: Slot): Histogram {
    if (!slot.open) {
      slot.open = Histogram.decode(slot.sealed);
      this.#open.push(slot);
      if (this.#open.length > mostOpen) {
        const oldest = this.#open.shift();
        if (oldest?.open) oldest.sealed = oldest.open.encode();
        if (oldest) oldest.open = undefined;
      }
    }
    return slot.open;
  }
}

function mergeSlot(into: Histogram, slot: Slot): void {
  if (slot.open) into.merge(slot.open);
  else into.add(slot.sealed);
}
