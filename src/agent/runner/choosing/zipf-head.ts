import type { Random } from './random.js';

/**
 * The most popular ranks, where nearly all draws of a zipf distribution go: their shares are added up beforehand and looked
 * up by a guide table (H.-C. Chen and Y. Asau, 1974), about one step per draw, in place of a logarithm and a power.
 */
export class ZipfHead {
  /** Ranks 1 … `size`. */
  readonly size: number;
  /** The part of all draws that goes to them; 1 when there are no others. */
  readonly #share: number;
  /** Draws up to and including each rank, of all in 0 … 1. */
  readonly #upTo: Float64Array;
  readonly #guide: Uint16Array;

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
    this.#guide = new Uint16Array(this.size);
    for (let i = 0, rank = 0; i < this.size; i++) {
      while (rank < this.size - 1 && (this.#upTo[rank] ?? 1) * this.size <= i * this.#share) rank++;
      this.#guide[i] = rank;
    }
  }

  /** Hot path. @returns the rank, from 1; 0: it is above `size` */
  draw(random: Random): number {
    const u = random.fraction();
    if (u >= this.#share) return 0;
    const upTo = this.#upTo;
    let at = this.#guide[Math.floor((u / this.#share) * this.size)]!;
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
