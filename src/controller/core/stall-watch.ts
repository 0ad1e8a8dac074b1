import { tenthSeconds, wholeSeconds } from './duration-text.js';

const limitMs = 10_000;

/**
 * An agent that answers while no operation completes: slow storage, which is a result and not a failure. Fed by
 * heartbeats; says one line per episode.
 */
export class StallWatch {
  #operations = 0;
  #completedAtMs: number;
  #told = false;

  constructor(nowMs: number) {
    this.#completedAtMs = nowMs;
  }

  /** When an operation was last seen to have completed (or the watch began). */
  get completedAtMs(): number {
    return this.#completedAtMs;
  }

  /** `operations`: completed in this stage. Returns a line that is due. */
  report(
    agent: string,
    operations: number,
    inFlight: number,
    oldestInFlightNs: number,
    nowMs: number,
  ): string | undefined {
    const silentMs = nowMs - this.#completedAtMs;
    if (operations > this.#operations) {
      this.#operations = operations;
      this.#completedAtMs = nowMs;
      if (!this.#told) return undefined;
      this.#told = false;
      return `${agent}: I/O completes again after ${wholeSeconds(silentMs)}`;
    }
    if (this.#told || inFlight === 0 || silentMs < limitMs) return undefined;
    this.#told = true;
    const oldest = tenthSeconds(oldestInFlightNs / 1e6);
    return `${agent}: no I/O completed for ${wholeSeconds(silentMs)}, ${String(inFlight)} in flight, oldest ${oldest} (storage stalled?)`;
  }

  shift(ms: number): void {
    this.#completedAtMs += ms;
  }
}
