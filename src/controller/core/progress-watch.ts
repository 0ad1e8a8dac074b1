import type { Progress } from '../../shared/model/messages.js';
import { wholeSeconds } from './duration-text.js';

const warnAfterMs = 10_000;

/** An agent that answers while its preparing or cleaning gets no further: warned early, given up late. */
export class ProgressWatch {
  readonly #giveUpMs: number;
  #latest: Progress | undefined;
  #advancedAtMs: number;
  #told = false;

  constructor(giveUpMs: number, nowMs: number) {
    this.#giveUpMs = giveUpMs;
    this.#advancedAtMs = nowMs;
  }

  get latest(): Progress | undefined {
    return this.#latest;
  }

  report(progress: Progress, nowMs: number): void {
    const before = this.#latest;
    this.#latest = progress;
    const same =
      before?.phase === progress.phase &&
      before.filesDone === progress.filesDone &&
      before.bytesDone === progress.bytesDone;
    if (!same) this.advanced(nowMs);
  }

  /** Something else showed that it gets on. */
  advanced(nowMs: number): void {
    this.#advancedAtMs = nowMs;
    this.#told = false;
  }

  /** `warning`: a line due now. `givenUp`: no progress for the whole time. */
  check(agent: string, nowMs: number): { warning?: string; givenUp: boolean } {
    const stalledMs = nowMs - this.#advancedAtMs;
    if (stalledMs >= this.#giveUpMs) return { givenUp: true };
    if (stalledMs < warnAfterMs || this.#told) return { givenUp: false };
    this.#told = true;
    const warning = `${agent}: answers, but got no further for ${wholeSeconds(stalledMs)} (storage slow or stalled?)`;
    return { warning, givenUp: false };
  }

  wakeAt(): number {
    const giveUpAt = this.#advancedAtMs + this.#giveUpMs;
    return this.#told ? giveUpAt : Math.min(giveUpAt, this.#advancedAtMs + warnAfterMs);
  }

  shift(ms: number): void {
    this.#advancedAtMs += ms;
  }
}
