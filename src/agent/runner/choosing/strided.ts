import type { Picker } from './picker.js';

/**
 * Chunks of neighbouring places, `stride` places from the start of one to the start of the next, from `from` on and
 * below `to`; then from the start again.
 */
export class Strided implements Picker {
  readonly #from: number = 0;
  readonly #to: number = 0;
  readonly #chunk: number = 0;
  readonly #stride: number = 0;
  #start = 0;
  #within = 0;

  constructor(part: { readonly from: number; readonly to: number }, chunk: number, stride: number) {
    this.#from = part.from;
    this.#to = part.to;
    this.#chunk = chunk;
    this.#stride = stride;
    this.#start = part.from;
  }

  next(): number {
    const place = this.#start + this.#within;
    if (++this.#within === this.#chunk || place + 1 === this.#to) {
      this.#within = 0;
      this.#start += this.#stride;
      if (this.#start >= this.#to) this.#start = this.#from;
    }
    return place;
  }
}
