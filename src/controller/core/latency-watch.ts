const limitMs = 1000;
const inARow = 3;

export interface LatencyTally {
  readonly samples: number;
  readonly meanMs: number;
  readonly maxMs: number;
}

/** Three measurements in a row above one second are worth one warning; a good one ends the episode. */
export class LatencyWatch {
  #bad = 0;
  #latestMs: number | undefined;
  #samples = 0;
  #sumMs = 0;
  #maxMs = 0;

  /** Of the newest measurement. */
  get latestMs(): number | undefined {
    return this.#latestMs;
  }

  get tally(): LatencyTally {
    const meanMs = this.#samples === 0 ? 0 : this.#sumMs / this.#samples;
    return { samples: this.#samples, meanMs, maxMs: this.#maxMs };
  }

  /** True exactly when the warning is due. */
  measured(latencyMs: number): boolean {
    this.#latestMs = latencyMs;
    this.#samples += 1;
    this.#sumMs += latencyMs;
    this.#maxMs = Math.max(this.#maxMs, latencyMs);
    if (latencyMs <= limitMs) {
      this.#bad = 0;
      return false;
    }
    this.#bad += 1;
    return this.#bad === inARow;
  }
}
