import type { Clock } from '../../shared/kernel/clock.js';
import { fetchCheckpoint, type FetchOutcome, type FetchRequest } from './fetch-checkpoint.js';

/** A fetch that goes on while its run does other things, and may be cut short. */
export class FetchUnderWay {
  /** Rejects for a bug only. */
  readonly done: Promise<void>;
  readonly #abort = new AbortController();
  readonly #clock: Clock;

  constructor(request: FetchRequest, clock: Clock, ended: (outcome: FetchOutcome) => void) {
    this.#clock = clock;
    this.done = fetchCheckpoint(request, this.#abort.signal).then(ended);
  }

  cut(): void {
    this.#abort.abort();
  }

  /** Resolves when it is over: in `withinMs`, or as long as it takes. */
  async over(withinMs: number | undefined): Promise<void> {
    if (withinMs === undefined) {
      await this.done;
      return;
    }
    const cancel = this.#clock.after(withinMs, () => {
      this.cut();
    });
    await this.done;
    cancel();
  }
}
