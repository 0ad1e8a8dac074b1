import type { Random } from './random.js';

/** Cells of equal width, a power of two: with two bytes each they stay in a processor's first cache. */
const cellBits = 14;
const cells = 2 ** cellBits;
const restBits = 32 - cellBits;
/** In the guide: not one rank takes all of the cell. */
const divided = 0;

/**
 * The most popular ranks, where nearly all draws of a zipf distribution go: their shares are added up beforehand and looked
 * up by a guide table (H.-C. Chen and Y. Asau, 1974) in place of a logarithm and a power. Most draws fall into a cell that is one
 * rank's alone, and need no more than 32 random bits; the others add 32 to these and search from the cell's first rank.
 */
export class ZipfHead {
  /** Ranks 1 … `size`. */
  readonly size: number = 0;
  /** The part of all draws that goes to them; 1 when there are no others. */
  readonly #share: number = 0.5;
  /** Draws up to and including each rank, of all in 0 … 1. */
  readonly #upTo: Float64Array;
  /** The rank that has the cell to itself, or `divided`. */
  readonly #guide = new Uint16Array(cells);
  /** The first rank, from 0, that has a part of the cell. */
  readonly #first = new Uint16Array(cells);

  /** @param most at most 65 535 */
  constructor(ranks: number, theta: number, most: number) {
    this.size = Math.min(ranks, most);
    const weights = Float64Array.from({ length: this.size }, (_, i) => (i + 1) ** -theta);
    const head = weights.reduce((sum, weight) => sum + weight, 0);
    const total = head + tailWeight(this.size, ranks, theta);
    let reached = 0;
    this.#upTo = weights.map((weight) => (reached += weight) / total);
    this.#share = head / total;
    // Added up, it may come out a little lower, and a draw between the two would have no rank.
    this.#upTo[this.size - 1] = this.#share;
    for (let cell = 0, rank = 0; cell < cells; cell++) {
      while (rank < this.size - 1 && this.#upTo[rank]! * cells <= cell) rank++;
      this.#first[cell] = rank;
      this.#guide[cell] = this.#upTo[rank]! * cells >= cell + 1 ? rank + 1 : divided;
    }
  }

  /** Hot path. @returns the rank, from 1; 0: it is above `size` */
  draw(random: Random): number {
    const bits = random.next();
    const cell = bits >>> restBits;
    const rank = this.#guide[cell]!;
    return rank === divided ? this.#search(cell, bits, random) : rank;
  }

  #search(cell: number, bits: number, random: Random): number {
    // 52 bits, of which the highest are the cell's number.
    const u = (bits * 2 ** 20 + (random.next() >>> 12)) * 2 ** -52;
    if (u >= this.#share) return 0;
    const upTo = this.#upTo;
    let at = this.#first[cell]!;
    while (upTo[at]! <= u) at++;
    return at + 1;
  }
}

/**
 * Σ k^-θ for k in from+1 … to, by the Euler–Maclaurin formula up to the first derivative; for `from` of a thousand or more
 * the next term is below 10^-12 of the sum. Exact (0) where there is nothing to add up.
 */
function tailWeight(from: number, to: number, theta: number): number {
  if (to <= from) return 0;
  const a = from + 1;
  const integral =
    theta === 1 ? Math.log(to / a) : (to ** (1 - theta) - a ** (1 - theta)) / (1 - theta);
  const ends = (a ** -theta + to ** -theta) / 2;
  const slopes = (theta * (a ** (-theta - 1) - to ** (-theta - 1))) / 12;
  return integral + ends + slopes;
}
