import { stalledBy } from '../../shared/model/stalled-by.js';
import { tenthSeconds, wholeSeconds } from './duration-text.js';

const limitMs = 10_000;

export interface LoadReport {
  /** Completed in this stage. */
  readonly operations: number;
  readonly inFlight: number;
  readonly oldestInFlightNs: number;
  /** Age of these numbers: the workload process has said nothing since. */
  readonly runnerSilenceNs: number;
  /** Threads that want a CPU, when that is what the operations wait for. */
  readonly starvedThreads: number;
}

/**
 * An agent that answers while no operation completes: slow storage, which is a result and not a failure. Fed by
 * heartbeats; says one line per episode.
 */
export class Stall {
  readonly #agent: string;
  #operations = 0;
  #completedAtMs: number;
  #told = false;

  constructor(agent: string, nowMs: number) {
    this.#agent = agent;
    this.#completedAtMs = nowMs;
  }

  /** When an operation was last seen to have completed, or the watch began. */
  get completedAtMs(): number {
    return this.#completedAtMs;
  }

  /** Returns a line that is due. */
  report(load: LoadReport, nowMs: number): string | undefined {
    const { operations, inFlight, oldestInFlightNs, runnerSilenceNs, starvedThreads } = load;
    const idleMs = nowMs - runnerSilenceNs / 1e6 - this.#completedAtMs;
    // Fewer than before: what was heard until now was of the stage before.
    if (operations !== this.#operations) {
      this.#operations = operations;
      this.#completedAtMs = nowMs;
      if (!this.#told) return undefined;
      this.#told = false;
      return `${this.#agent}: I/O completes again after ${wholeSeconds(idleMs)}`;
    }
    if (this.#told || inFlight === 0 || idleMs < limitMs) return undefined;
    this.#told = true;
    const oldest = tenthSeconds(oldestInFlightNs / 1e6);
    return `${this.#agent}: no I/O completed for ${wholeSeconds(idleMs)}, ${String(inFlight)} in flight, oldest ${oldest} (${stalledBy(starvedThreads)})`;
  }

  /** Nothing was known of the agent for a while: an episode that was not told yet counts from now. */
  heardAgain(nowMs: number): void {
    if (!this.#told) this.#completedAtMs = nowMs;
  }

  shift(ms: number): void {
    this.#completedAtMs += ms;
  }
}
