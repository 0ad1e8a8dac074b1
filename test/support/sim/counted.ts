/** A stand-in for histograms that keeps nothing but how many values were recorded. */
import type { HistogramSum } from '../../../src/agent/core/session-io.js';

export function encodeCount(count: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(count);
  return bytes;
}

export function decodeCount(bytes: Uint8Array): number {
  return bytes.length === 0 ? 0 : Buffer.from(bytes).readDoubleLE(0);
}

export function mergeCounts(a: Uint8Array, b: Uint8Array): Uint8Array {
  return encodeCount(decodeCount(a) + decodeCount(b));
}

export class CountSum implements HistogramSum {
  #count = 0;

  add(encoded: Uint8Array): void {
    this.#count += decodeCount(encoded);
  }

  encode(): Uint8Array {
    return encodeCount(this.#count);
  }
}
