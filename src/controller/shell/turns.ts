import type { Clock } from '../../shared/kernel/clock.js';
import type { Pieces } from '../core/pieces.js';

/** So long at most before the loop turns to other things; a piece of the work more, that is. */
const sliceMs = 10;

/** Long work that leaves the loop its turns. */
export class Turns {
  readonly #clock: Clock;
  #untilMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#untilMs = clock.nowMs() + sliceMs;
  }

  /** Between two pieces of the work: lets others have their turn, when it is time. */
  async next(): Promise<void> {
    if (this.#clock.nowMs() < this.#untilMs) return;
    await new Promise<void>((resolve) => this.#clock.after(0, resolve));
    this.#untilMs = this.#clock.nowMs() + sliceMs;
  }
}

/** Carries the work out, in many turns of the loop. */
export async function inTurns<T>(
  pieces: Pieces<T>,
  clock: Clock,
  onProgress: () => void = () => undefined,
): Promise<T> {
  const turns = new Turns(clock);
  for (;;) {
    const piece = pieces.next();
    if (piece.done === true) return piece.value;
    onProgress();
    await turns.next();
  }
}
