import { Permutation } from './permutation.js';
import type { Picker } from './picker.js';

/**
 * Every place once per pass, in an order that is another one in each pass. The order is the same for all workers, and
 * each takes its own part `from` … `to`-1 of it: together they take every place once.
 */
export class Shuffled implements Picker {
  readonly #permutation: Permutation;
  readonly #keys: readonly number[];
  readonly #from: number = 0;
  readonly #to: number = 0;
  #at = 0;
  #pass = 0;

  constructor(
    places: number,
    part: { readonly from: number; readonly to: number },
    keys: readonly number[],
  ) {
    this.#permutation = new Permutation(places, [...keys, 0]);
    this.#keys = keys;
    this.#from = part.from;
    this.#to = part.to;
    this.#at = part.from;
  }

  next(): number {
    if (this.#at === this.#to) {
      this.#at = this.#from;
      this.#permutation.rekey([...this.#keys, ++this.#pass]);
    }
    return this.#permutation.at(this.#at++);
  }
}
