import { Latencies, type LatencyTally } from '../../shared/metrics/latencies.js';

const limitMs = 1000;
const inARow = 3;

/** Three measurements in a row above one second are worth one warning; a good one ends the episode. */
export class LatencyWatch {
  #bad = 0;
  #latestMs: number | undefined;
  readonly #latencies = new Latencies();

  /** Of the newest measurement. */
  get latestMs(): number | undefined {
    return this.#latestMs;
  }

  get tally(): LatencyTally {
    return this.#latencies.tally;
  }

  /** True exactly when the warning is due. */
  measured(latencyMs: number): boolean {
    this.#latestMs = latencyMs;
    this.#latencies.add(latencyMs);
    if (latencyMs <= limitMs) {
      this.#bad = 0;
      return false;
    }
    this.#bad += 1;
    return this.#bad === inARow;
  }
}
