import type { Permutation } from './permutation.js';
import type { Picker } from './picker.js';
import type { Random } from './random.js';
import { ZipfHead } from './zipf-head.js';

/** Ranks that are looked up: tables of 320 KiB per kind of operation and worker. */
const headRanks = 16_384;

/**
 * Place of rank k with a probability in proportion to k^-θ, for any θ > 0, by rejection-inversion (W. Hörmann and
 * G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", ACM TOMACS 6(3),
 * 1996): nearly every draw is accepted at once, whatever the number of ranks. The most popular ranks come from a table. The integral H and its inverse are written with expm1 and
 * log1p, so that θ near 1 is as exact as any other. Ranks are spread over all places by a permutation.
 */
export class Zipf implements Picker {
  readonly #random: Random;
  readonly #ranks: number = 0.5;
  readonly #theta: number = 0.5;
  /** 1 / (1-θ), or 0 where θ is too close to 1 for it. */
  readonly #power: number = 0.5;
  readonly #scatter: Permutation;
  readonly #head: ZipfHead;
  /** Where the ranks of the head go. */
  readonly #headPlaces: Float64Array;
  readonly #lowest: number = 0.5;
  readonly #span: number = 0.5;
  /** Draws this close below their rank are accepted without looking further. */
  readonly #squeeze: number = 0.5;

  constructor(random: Random, ranks: number, theta: number, scatter: Permutation) {
    this.#random = random;
    this.#ranks = ranks;
    this.#theta = theta;
    this.#power = Math.abs(1 - theta) < 0.01 ? 0 : 1 / (1 - theta);
    this.#scatter = scatter;
    this.#head = new ZipfHead(ranks, theta, headRanks);
    const { size } = this.#head;
    this.#headPlaces = Float64Array.from({ length: size }, (_, i) => scatter.at(i));
    // Of the ranks above the head; where there are none it is never used.
    this.#lowest = this.#integral(size + 1.5) - (size + 1) ** -theta;
    this.#span = this.#integral(ranks + 0.5) - this.#lowest;
    const second = size + 2;
    this.#squeeze = second - this.#inverse(this.#integral(second + 0.5) - second ** -theta);
  }

  next(): number {
    const rank = this.#head.draw(this.#random);
    return rank > 0 ? this.#headPlaces[rank - 1]! : this.#scatter.at(this.#tailRank() - 1);
  }

  #tailRank(): number {
    for (;;) {
      const u = this.#lowest + this.#random.fraction() * this.#span;
      const x = this.#inverse(u);
      const rank = Math.min(this.#ranks, Math.max(this.#head.size + 1, Math.floor(x + 0.5)));
      if (rank - x <= this.#squeeze) return rank;
      if (u >= this.#integral(rank + 0.5) - rank ** -this.#theta) return rank;
    }
  }

  /** H(x), an integral of x^-θ: (x^(1-θ) - 1) / (1-θ), and log x for θ = 1. */
  #integral(x: number): number {
    const log = Math.log(x);
    const exponent = (1 - this.#theta) * log;
    return exponent === 0 ? log : (Math.expm1(exponent) / exponent) * log;
  }

  #inverse(u: number): number {
    const y = Math.max(-1, u * (1 - this.#theta));
    // log costs half of log1p (measured), and is exact enough where the exponent is not large.
    if (this.#power !== 0) return Math.exp(Math.log(1 + y) * this.#power);
    return Math.exp(y === 0 ? u : (Math.log1p(y) / y) * u);
  }
}
