import type { Picker } from './picker.js';
import type { Random } from './random.js';

/** Every place with the same probability, independently. */
export class Uniform implements Picker {
  readonly #random: Random;
  readonly #places: number = 0;

  constructor(random: Random, places: number) {
    this.#random = random;
    this.#places = places;
  }

  next(): number {
    return this.#random.below(this.#places);
  }
}
