import type { Picker } from './picker.js';

/** Walks `from` … `to`-1 again and again. */
export class Sequential implements Picker {
  readonly #from: number = 0;
  readonly #to: number = 0;
  #at = 0;

  constructor(from: number, to: number) {
    this.#from = from;
    this.#to = to;
    this.#at = from;
  }

  next(): number {
    const place = this.#at;
    this.#at = place + 1 === this.#to ? this.#from : place + 1;
    return place;
  }
}
