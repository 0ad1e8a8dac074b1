import type { Permutation } from './permutation.js';
import type { Picker } from './picker.js';
import type { Random } from './random.js';

/**
 * A share of the places gets a share of the operations, both evenly: `{ data: 0.2, operations: 0.8 }`. The hot places
 * are spread over all by a permutation.
 */
export class Hotspot implements Picker {
  readonly #random: Random;
  readonly #hot: number = 0;
  readonly #cold: number = 0;
  readonly #threshold: number = 0.5;
  readonly #scatter: Permutation;

  constructor(
    random: Random,
    places: number,
    { data, operations }: { readonly data: number; readonly operations: number },
    scatter: Permutation,
  ) {
    this.#random = random;
    this.#hot = Math.min(places, Math.max(1, Math.round(places * data)));
    this.#cold = places - this.#hot;
    this.#threshold = this.#cold === 0 ? Infinity : operations * 4_294_967_296;
    this.#scatter = scatter;
  }

  next(): number {
    const isHot = this.#random.next() < this.#threshold;
    const rank = isHot ? this.#random.below(this.#hot) : this.#hot + this.#random.below(this.#cold);
    return this.#scatter.at(rank);
  }
}
