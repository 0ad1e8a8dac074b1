import { mix } from './hash.js';

/**
 * sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, passes BigCrush, a few ns per number in JavaScript.
 */
export class Random {
  // Fields of the hot path begin with a number: declared only, they would begin as undefined, and be "anything" to the compiled
  // code from then on. 0 where they stay 32-bit integers, 0.5 where they may be fractions or large: a double from the beginning.
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  /** The stream is a function of all the keys (32-bit integers), each of which changes all of it. */
  constructor(keys: readonly number[]) {
    const words = [0, 0, 0].map((_, word) => keys.reduce(mix, word + 1));
    this.#a = words[0] ?? 0;
    this.#b = words[1] ?? 0;
    this.#c = words[2] ?? 0;
    // Its author's advice: run in after seeding, so that similar seeds diverge.
    for (let i = 0; i < 15; i++) this.next();
  }

  /** A 32-bit integer, 0 … 2^32-1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /**
   * Uniform in 0 … limit-1. Small limits take one draw (bias below 2^-16), larger ones 53 bits (bias below
   * limit × 2^-53).
   */
  below(limit: number): number {
    if (limit <= 65_536) return Math.floor(this.next() * limit * 2 ** -32);
    return Math.floor(this.fraction() * limit);
  }

  /** Uniform in [0, 1), 53 bits. */
  fraction(): number {
    const high = this.next() >>> 5;
    const low = this.next() >>> 6;
    return (high * 67_108_864 + low) * 2 ** -53;
  }
}
