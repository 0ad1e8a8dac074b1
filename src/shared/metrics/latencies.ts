export interface LatencyTally {
  readonly samples: number;
  /** 0 without a sample. */
  readonly meanMs: number;
  readonly maxMs: number;
}

/** How many latencies were measured, their mean and the longest. */
export class Latencies {
  #samples = 0;
  #sumMs = 0;
  #maxMs = 0;

  add(ms: number): void {
    this.#samples += 1;
    this.#sumMs += ms;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  get tally(): LatencyTally {
    const meanMs = this.#samples === 0 ? 0 : this.#sumMs / this.#samples;
    return { samples: this.#samples, meanMs, maxMs: this.#maxMs };
  }
}
