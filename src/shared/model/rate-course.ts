import type { Rate } from './pacing.js';

const second = 1e9;

/** Linear from `rate` at `fromNs` on, by `slope` per ns. */
interface Piece {
  readonly fromNs: number;
  readonly untilNs: number;
  /** Per ns. */
  readonly rate: number;
  /** Per ns². */
  readonly slope: number;
}

/**
 * A rate's course over a stage, in ns after the measured part's begin: how much is due between two instants, and when
 * the next piece of work is due. Before the begin (warm-up) and after the end its first and last values go on.
 */
export class RateCourse {
  readonly #pieces: readonly Piece[];

  /** @param durationNs over which the steps are laid; not looked at for a constant rate */
  constructor({ steps }: Rate, durationNs: number) {
    const lengthNs = durationNs / steps.length;
    const pieces = steps.map(({ from, to }, i): Piece => ({
      fromNs: i * lengthNs,
      untilNs: (i + 1) * lengthNs,
      rate: from / second,
      slope: from === to ? 0 : (to - from) / second / lengthNs,
    }));
    const first = steps[0]?.from ?? 0;
    const last = steps.at(-1)?.to ?? 0;
    const flat = (fromNs: number, untilNs: number, rate: number): Piece => ({
      fromNs,
      untilNs,
      rate: rate / second,
      slope: 0,
    });
    this.#pieces = Number.isFinite(durationNs)
      ? [flat(-Infinity, 0, first), ...pieces, flat(durationNs, Infinity, last)]
      : [flat(-Infinity, Infinity, first)];
  }

  /**
   * When `work` (operations or bytes) more is due after `atNs`, of a part `share` of the rate: the instant up to which
   * the rate's integral is `work`.
   */
  after(atNs: number, work: number, share: number): number {
    let left = work / share;
    let now = atNs;
    for (const piece of this.#pieces) {
      if (piece.untilNs <= now) continue;
      const rate = rateAt(piece, now);
      const due = integral(rate, piece.slope, piece.untilNs - now);
      // The root of slope/2·x² + rate·x = left, in the form that loses no digits when the slope is small.
      if (left <= due)
        return now + (2 * left) / (rate + Math.sqrt(rate * rate + 2 * piece.slope * left));
      left -= due;
      now = piece.untilNs;
    }
    return Infinity;
  }

  /** How much is due between two instants, of all. */
  between(fromNs: number, untilNs: number): number {
    let sum = 0;
    for (const piece of this.#pieces) {
      const from = Math.max(fromNs, piece.fromNs);
      const until = Math.min(untilNs, piece.untilNs);
      if (until > from) sum += integral(rateAt(piece, from), piece.slope, until - from);
    }
    return sum;
  }
}

function rateAt({ rate, slope, fromNs }: Piece, atNs: number): number {
  return slope === 0 ? rate : rate + slope * (atNs - fromNs);
}

function integral(rate: number, slope: number, lengthNs: number): number {
  return slope === 0 ? rate * lengthNs : (rate + (slope * lengthNs) / 2) * lengthNs;
}
