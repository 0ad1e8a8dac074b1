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
 * Decodes in one pass, the only place that knows the bytes (docs/histograms.md); nothing comes of faulty ones. A
 * controller does this some thousand times a second, hence the plain loop.
 * @throws HistogramFormatError
 */
export function readBuckets(encoded: Uint8Array): Buckets {
  const end = encoded.length;
  if (end === 0) return noBuckets;
  if (encoded[0] !== layoutVersion) {
    throw new HistogramFormatError(`layout version ${String(encoded[0])}, expected 1`);
  }
  // A bucket takes two bytes at least.
  const indexes = new Uint16Array(end >> 1);
  const counts = new Float64Array(end >> 1);
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

/**
 * Calls `visit` for every non-empty bucket, ascending.
 * @throws HistogramFormatError before visiting any
 */
export function decodeBuckets(
  encoded: Uint8Array,
  visit: (index: number, count: number) => void,
): void {
  const { indexes, counts, length } = readBuckets(encoded);
  for (let at = 0; at < length; at++) visit(indexes[at] ?? 0, counts[at] ?? 0);
}
