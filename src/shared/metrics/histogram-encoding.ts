import { bucketCount, layoutVersion } from './bucket-layout.js';
import { noBuckets } from './buckets.js';
import type { Buckets } from './buckets.js';

/** Bytes that are no encoded histogram of this layout. */
export class HistogramFormatError extends Error {
  constructor(message: string) {
    super(`invalid histogram: ${message}`);
    this.name = 'HistogramFormatError';
  }
}

/** Collects (bucket, count) pairs in ascending order of bucket into the sparse form of docs/histograms.md. */
export class HistogramEncoder {
  #bytes = new Uint8Array(256);
  #length = 0;
  #previous = 0;

  /** `index` must be above the one before, `count` a positive safe integer. */
  put(index: number, count: number): void {
    if (this.#length === 0) this.#bytes[this.#length++] = layoutVersion;
    // A gap needs at most 3 bytes, a count below 2^53 at most 8.
    if (this.#length + 11 > this.#bytes.length) this.#grow();
    this.#varint(index - this.#previous);
    this.#varint(count);
    this.#previous = index;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(): void {
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }
}

/**
 * Room for decoded histograms that are read and done with at once. A controller decodes some thousand a second, and new
 * columns for each would be most of what it has to collect.
 */
export class BucketRoom {
  readonly #columns: Columns[] = [];
  #used = 0;

  /** What `read` gave before may be overwritten from now on. */
  reset(): void {
    this.#used = 0;
  }

  /** Nothing comes of faulty bytes. @throws HistogramFormatError */
  read(encoded: Uint8Array): Buckets {
    if (encoded.length === 0) return noBuckets;
    // A bucket takes two bytes at least.
    const most = Math.min(encoded.length >> 1, bucketCount);
    let columns = this.#columns[this.#used];
    if (columns === undefined || columns.indexes.length < most) {
      columns = { indexes: new Uint16Array(most), counts: new Float64Array(most) };
      this.#columns[this.#used] = columns;
    }
    this.#used += 1;
    return decoded(encoded, columns);
  }
}

type Columns = Pick<Buckets, 'indexes' | 'counts'>;

/** Decodes into columns of its own. Nothing comes of faulty bytes. @throws HistogramFormatError */
export function readBuckets(encoded: Uint8Array): Buckets {
  return new BucketRoom().read(encoded);
}

/** Decodes in one pass, the only place that knows the bytes (docs/histograms.md). Hot, hence the plain loop. */
function decoded(encoded: Uint8Array, { indexes, counts }: Columns): Buckets {
  if (encoded[0] !== layoutVersion) {
    throw new HistogramFormatError(`layout version ${String(encoded[0])}, expected 1`);
  }
  const end = encoded.length;
  let length = 0;
  let total = 0;
  let index = 0;
  let position = 1;
  while (position < end) {
    let gap = encoded[position++] ?? 0;
    if (gap > 127) {
      gap = restOfVarint(encoded, position, gap - 128);
      position = afterVarint(encoded, position);
    }
    if (position >= end) throw new HistogramFormatError('truncated');
    let count = encoded[position++] ?? 0;
    if (count > 127) {
      count = restOfVarint(encoded, position, count - 128);
      position = afterVarint(encoded, position);
    }
    if (gap === 0 && length > 0) throw new HistogramFormatError('buckets out of order');
    index += gap;
    if (index >= bucketCount) throw new HistogramFormatError(`bucket ${String(index)}`);
    if (count === 0) throw new HistogramFormatError('empty bucket');
    indexes[length] = index;
    counts[length] = count;
    length += 1;
    total += count;
  }
  return { indexes, counts, length, total };
}

/** The varint that began with `value` (its lowest seven bits) and goes on at `position`. */
function restOfVarint(encoded: Uint8Array, position: number, value: number): number {
  let sum = value;
  for (let scale = 128, at = position; ; scale *= 128, at++) {
    if (scale > 2 ** 49) throw new HistogramFormatError('number too long');
    const byte = encoded[at];
    if (byte === undefined) throw new HistogramFormatError('truncated');
    sum += (byte & 127) * scale;
    if (sum > Number.MAX_SAFE_INTEGER) throw new HistogramFormatError('number too large');
    if (byte < 128) return sum;
  }
}

function afterVarint(encoded: Uint8Array, position: number): number {
  let at = position;
  while ((encoded[at++] ?? 0) > 127);
  return at;
}
