import { mix } from './hash.js';

/**
 * A permutation of 0 … size-1 in constant memory: a Feistel network of four rounds over the next power of two, walked
 * on until it comes out below `size` (cycle walking: Black and Rogaway, "Ciphers with arbitrary finite domains"; less
 * than two steps on average). Sizes up to 2^53.
 */
export class Permutation {
  readonly #size: number = 0;
  readonly #lowFactor: number = 0;
  readonly #lowMask: number = 0;
  readonly #highMask: number = 0;
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  constructor(size: number, keys: readonly number[]) {
    let bits = 0;
    while (2 ** bits < size) bits++;
    const low = Math.ceil(bits / 2);
    this.#size = size;
    this.#lowFactor = 2 ** low;
    this.#lowMask = 2 ** low - 1;
    this.#highMask = 2 ** (bits - low) - 1;
    this.rekey(keys);
  }

  /** Becomes another permutation of the same numbers. */
  rekey(keys: readonly number[]): void {
    const start = keys.reduce(mix, 0x9e3779b9);
    this.#a = mix(start, 1);
    this.#b = mix(start, 2);
    this.#c = mix(start, 3);
    this.#d = mix(start, 4);
  }

  /** Where `index` goes. Hot path. */
  at(index: number): number {
    let value = index;
    do value = this.#once(value);
    while (value >= this.#size);
    return value;
  }

  #once(value: number): number {
    let high = Math.floor(value / this.#lowFactor) | 0;
    let low = (value - high * this.#lowFactor) | 0;
    low ^= round(high, this.#a) & this.#lowMask;
    high ^= round(low, this.#b) & this.#highMask;
    low ^= round(high, this.#c) & this.#lowMask;
    high ^= round(low, this.#d) & this.#highMask;
    return high * this.#lowFactor + low;
  }
}

/** 32 well-mixed bits of which any part may be used. */
function round(half: number, key: number): number {
  let h = Math.imul(half ^ key, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca77);
  return h ^ (h >>> 13);
}
