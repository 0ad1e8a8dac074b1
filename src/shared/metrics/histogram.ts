import { bucketCount, bucketIndexOf, highestOf, lowestOf, middleOf } from './bucket-layout.js';
import type { Buckets } from './buckets.js';
import { BucketRoom, HistogramEncoder } from './histogram-encoding.js';

/**
 * Counts are kept in pages that exist only where something was recorded: a dense histogram takes 264 KiB, and a
 * controller holds thousands of them.
 */
const pageBits = 8;
const pageSize = 1 << pageBits;

/** A page has one byte a count until one of its counts needs more, then two, four and eight. */
type Page = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** For what is added at once. */
const room = new BucketRoom();

/**
 * Latencies in ns, in the layout of bucket-layout. Merging is addition of counts, so percentiles of merged histograms
 * equal those of the pooled values, to the bucket.
 */
export class Histogram {
  readonly #pages: (Page | undefined)[] = new Array<undefined>(bucketCount >> pageBits);
  #count = 0;

  /** @throws HistogramFormatError */
  static decode(encoded: Uint8Array): Histogram {
    const histogram = new Histogram();
    histogram.add(encoded);
    return histogram;
  }

  record(ns: number, times = 1): void {
    this.addBucket(bucketIndexOf(ns), times);
  }

  addBucket(index: number, times: number): void {
    const number = index >> pageBits;
    let page = this.#pages[number];
    if (page === undefined) {
      page = new Uint8Array(pageSize);
      this.#pages[number] = page;
    }
    const slot = index & (pageSize - 1);
    const sum = (page[slot] ?? 0) + times;
    page[slot] = sum;
    // Other than what was written: the count does not fit.
    if (page[slot] !== sum) {
      page = widened(page, sum);
      page[slot] = sum;
      this.#pages[number] = page;
    }
    this.#count += times;
  }

  addBuckets({ indexes, counts, length }: Buckets): void {
    for (let at = 0; at < length; at++) this.addBucket(indexes[at] ?? 0, counts[at] ?? 0);
  }

  /** Adds an encoded histogram; faulty bytes change nothing. @throws HistogramFormatError */
  add(encoded: Uint8Array): void {
    room.reset();
    this.addBuckets(room.read(encoded));
  }

  merge(other: Histogram): void {
    other.#forEach((index, count) => {
      this.addBucket(index, count);
    });
  }

  /** Sparse form (docs/histograms.md); empty bytes for an empty histogram. */
  encode(): Uint8Array {
    const encoder = new HistogramEncoder();
    this.#forEach((index, count) => {
      encoder.put(index, count);
    });
    return encoder.finish();
  }

  get count(): number {
    return this.#count;
  }

  /** Lowest value of the lowest bucket in use; 0 when empty. */
  get min(): number {
    let first = 0;
    this.#forEach((index) => {
      first = lowestOf(index);
      return true;
    });
    return first;
  }

  /** Highest value of the highest bucket in use; 0 when empty. */
  get max(): number {
    let last = 0;
    this.#forEach((index) => {
      last = index;
    });
    return highestOf(last);
  }

  /** Mean of the buckets' middles, within 0.05 % of the true one; 0 when empty. */
  get mean(): number {
    let sum = 0;
    this.#forEach((index, count) => {
      sum += middleOf(index) * count;
    });
    return this.#count === 0 ? 0 : sum / this.#count;
  }

  /**
   * The highest value of the bucket that holds the value of rank ceil(p % × count), at least rank 1; 0 when empty.
   * @param p 0 … 100; 0 gives `min`
   */
  percentile(p: number): number {
    if (p <= 0) return this.min;
    // As HdrHistogram does: one unit in the last place off, or rounding up of p / 100 would skip a rank.
    const exact = (Math.min(p, 100) / 100) * this.#count;
    const rank = Math.max(1, Math.ceil(exact - exact * Number.EPSILON));
    let seen = 0;
    let value = 0;
    this.#forEach((index, count) => {
      seen += count;
      if (seen < rank) return false;
      value = highestOf(index);
      return true;
    });
    return value;
  }

  /** Non-empty buckets, ascending; both bounds belong to the bucket. */
  forEachBucket(visit: (lowNs: number, highNs: number, count: number) => void): void {
    this.#forEach((index, count) => {
      visit(lowestOf(index), highestOf(index), count);
    });
  }

  #forEach(visit: (index: number, count: number) => boolean | void): void {
    for (const [number, page] of this.#pages.entries()) {
      if (page === undefined) continue;
      for (let slot = 0; slot < pageSize; slot++) {
        const count = page[slot] ?? 0;
        if (count > 0 && visit((number << pageBits) + slot, count) === true) return;
      }
    }
  }
}

function widened(page: Page, sum: number): Page {
  if (sum > 0xffff_ffff) return Float64Array.from(page);
  return sum > 0xffff ? Uint32Array.from(page) : Uint16Array.from(page);
}

/** Sum of two encoded histograms, encoded. @throws HistogramFormatError */
export function mergeEncoded(a: Uint8Array, b: Uint8Array): Uint8Array {
  const sum = Histogram.decode(a);
  sum.add(b);
  return sum.encode();
}
