import { bucketCount, layoutVersion } from './bucket-layout.js';

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
 * Calls `visit` for every non-empty bucket, ascending.
 * @throws HistogramFormatError after visiting what came before the fault; check first where that matters.
 */
export function decodeBuckets(
  encoded: Uint8Array,
  visit: (index: number, count: number) => void,
): void {
  if (encoded.length === 0) return;
  if (encoded[0] !== layoutVersion) {
    throw new HistogramFormatError(`layout version ${String(encoded[0])}, expected 1`);
  }
  let position = 1;
  const varint = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = encoded[position++];
      if (byte === undefined) throw new HistogramFormatError('truncated');
      value += (byte & 127) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new HistogramFormatError('number too large');
      if (byte < 128) return value;
      scale *= 128;
      if (scale > 2 ** 49) throw new HistogramFormatError('number too long');
    }
  };
  let index = 0;
  let first = true;
  while (position < encoded.length) {
    const gap = varint();
    const count = varint();
    if (gap === 0 && !first) throw new HistogramFormatError('buckets out of order');
    index += gap;
    if (index >= bucketCount) throw new HistogramFormatError(`bucket ${String(index)}`);
    if (count === 0) throw new HistogramFormatError('empty bucket');
    first = false;
    visit(index, count);
  }
}

/** @throws HistogramFormatError */
export function checkEncoded(encoded: Uint8Array): void {
  decodeBuckets(encoded, () => undefined);
}
