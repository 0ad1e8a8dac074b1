import { bucketCount, bucketIndexOf } from '../../shared/metrics/bucket-layout.js';
import { errorCodes } from './error-codes.js';
import { blockBits } from './lane-memory.js';
import type { LaneMemory } from './lane-memory.js';

/** Writes one worker's latencies and errors into shared memory. Hot path: no allocation, no message. */
export class Recorder {
  readonly #counts: Float64Array;
  readonly #errors: Float64Array;
  readonly #dirty: Uint8Array;
  readonly #bytes: Float64Array;
  readonly #kinds: number = 0;

  constructor(memory: LaneMemory) {
    this.#counts = memory.counts;
    this.#errors = memory.errors;
    this.#dirty = memory.dirty;
    this.#bytes = memory.bytes;
    this.#kinds = memory.shape.kinds;
  }

  /** @param ns service time: from issue to completion */
  done(slot: number, ns: number): void {
    const index = slot * bucketCount + bucketIndexOf(ns);
    this.#counts[index]!++;
    this.#dirty[index >> blockBits] = 1;
  }

  /** Where the operations of a kind move different numbers of bytes. */
  moved(slot: number, bytes: number): void {
    this.#bytes[slot]! += bytes;
  }

  /** Open loop only. @param ns from the intended start to completion */
  response(slot: number, ns: number): void {
    this.done(2 * this.#kinds + slot, ns);
  }

  failed(slot: number, code: number, ns: number): void {
    this.done(this.#kinds + slot, ns);
    const index = slot * errorCodes.length + code;
    this.#errors[index] = (this.#errors[index] ?? 0) + 1;
  }
}
