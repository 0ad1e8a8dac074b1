import { Votes } from '../../shared/kernel/votes.js';

/** Delays of the first re-dial and the longest, before jitter. */
export interface RedialDelays {
  readonly firstMs: number;
  readonly capMs: number;
}

const firstMs = 250;
const capMs = 5000;
/** The first delay doubles at most this often. */
const mostLevel = 3;

/**
 * How patient re-dialling is, by how long messages take [LINK-11]: a dial on a link whose round trip is two seconds cannot
 * be answered within 250 ms, and dialling on would only fill the link. Measurements come with messages, so nothing changes while
 * an agent is silent and a countdown to HUNG runs.
 */
export class RedialPace {
  readonly #windowMs: number;
  #level = 0;
  readonly #votes = new Votes();

  /** @param windowMs reconnect_window: the longest delay leaves room for four dials in it */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  get delays(): RedialDelays {
    const patient = this.#level >= 2 ? this.#windowMs / 4 : 0;
    return { firstMs: firstMs * 2 ** this.#level, capMs: Math.max(capMs, patient) };
  }

  /** The new delays, exactly when they change by this measurement. */
  measured(latencyMs: number): RedialDelays | undefined {
    const wanted = Math.ceil(Math.log2(Math.max(1, latencyMs) / firstMs));
    const more = Math.min(mostLevel, Math.max(0, wanted)) - this.#level;
    const direction = more > 0 ? 1 : more < 0 ? -1 : 0;
    if (!this.#votes.cast(direction)) return undefined;
    this.#level += direction;
    return this.delays;
  }
}
