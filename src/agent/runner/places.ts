import type { Completion, Operation } from '../engines/engine.js';
import type { Verifier } from './verify/verifier.js';

/** One of the operations that may be in flight at once. */
export interface Place<Part> {
  readonly index: number;
  readonly operation: Operation;
  readonly buffer: Uint8Array;
  readonly done: Completion;
  readonly verifier: Verifier | undefined;
  /** To which its operation belongs. */
  part: Part;
  slot: number;
  dueNs: number;
  startNs: number;
}

/** Those without an operation, the longest free first: it is the one that has thought for as long as it should. */
export class FreePlaces<Part> {
  readonly #ring: Place<Part>[];
  #first = 0;
  #count = 0;

  /** @param all free at first */
  constructor(all: readonly Place<Part>[]) {
    this.#ring = [...all];
    this.#count = all.length;
  }

  get count(): number {
    return this.#count;
  }

  get first(): Place<Part> | undefined {
    return this.#count === 0 ? undefined : this.#ring[this.#first];
  }

  takeFirst(): void {
    this.#count--;
    if (++this.#first === this.#ring.length) this.#first = 0;
  }

  put(place: Place<Part>): void {
    const at = this.#first + this.#count++;
    this.#ring[at < this.#ring.length ? at : at - this.#ring.length] = place;
  }
}
