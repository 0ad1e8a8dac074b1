import { Votes } from '../kernel/votes.js';

/** Eight seconds of stats at once are far from the minute after which a controller begins to ask. */
export const mostPerFrame = 8;

/**
 * How many intervals share a LIVE frame, by how long the newest of a frame takes until it is acknowledged, its wait for the
 * stream included [LINK-11]: one, as long as that is less than two seconds; two, four, eight where at least twice as many come
 * meanwhile. A frame of several is smaller than several frames, and has one acknowledgement. Measurements come with acknowledgements, so nothing changes while the
 * peer is silent.
 */
export class LivePace {
  readonly #votes = new Votes();
  #level = 1;
  /** What the peer takes. */
  #most = 1;

  get perFrame(): number {
    return Math.min(this.#level, this.#most);
  }

  /** @param most of Open */
  peerTakes(most: number): void {
    this.#most = Math.min(mostPerFrame, Math.max(1, most));
  }

  /** @returns the new number per frame, exactly when this measurement changes it */
  acknowledgedAfter(ms: number): number | undefined {
    const before = this.perFrame;
    const isSlow = ms >= 2000 * this.#level && this.#level < this.#most;
    const isFast = ms < 500 * this.#level && this.#level > 1;
    if (!this.#votes.cast(isSlow ? 1 : isFast ? -1 : 0)) return undefined;
    this.#level = isSlow ? this.#level * 2 : this.#level / 2;
    return this.perFrame === before ? undefined : this.perFrame;
  }
}
