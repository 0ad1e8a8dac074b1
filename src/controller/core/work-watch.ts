import type { Progress } from '../../shared/model/messages.js';
import { wholeSeconds } from './duration-text.js';
import { earliest } from './earliest.js';
import type { Heard, Verdict, Watch } from './watch.js';

const warnAfterMs = 10_000;

export interface WorkOptions {
  readonly agent: string;
  /** The name of the part of the run, as lines show it: `prepare`. */
  readonly doing: string;
  /** Saying nothing for so long … */
  readonly silenceMs: number;
  /** … means this. crashed: also without a stream. hung: a lost stream is judged by the reconnect window instead. */
  readonly silent: 'crashed' | 'hung';
  /** How long an agent that answers may get no further with its work. */
  readonly stallMs: number;
}

/**
 * Watches work without stats (preparing, getting a stage ready, cleaning): it may take hours as long as the agent
 * answers and gets on.
 */
export class WorkWatch implements Watch {
  readonly #options: WorkOptions;
  #latest: Progress | undefined;
  #advancedAtMs: number;
  #warned = false;

  constructor(options: WorkOptions, nowMs: number) {
    this.#options = options;
    this.#advancedAtMs = nowMs;
  }

  /** Progress without new files or bytes is none. */
  progress(progress: Progress, nowMs: number): void {
    const before = this.#latest;
    this.#latest = progress;
    const same =
      before?.phase === progress.phase &&
      before.filesDone === progress.filesDone &&
      before.bytesDone === progress.bytesDone;
    if (!same) this.advanced(nowMs);
  }

  /** Its own part is done, and it waits for the parts of others. */
  get isWaiting(): boolean {
    return this.#latest?.phase === 'wait';
  }

  /** A step was done that is progress in itself. */
  advanced(nowMs: number): void {
    this.#advancedAtMs = nowMs;
    this.#warned = false;
  }

  check(heard: Heard): Verdict | undefined {
    const { agent, doing, silenceMs, silent, stallMs } = this.#options;
    const silentMs = heard.nowMs - heard.heardAtMs;
    if (this.#judgesSilence(heard) && silentMs >= silenceMs) {
      const silence = wholeSeconds(silentMs);
      if (silent === 'crashed') {
        const line = `Agent ${agent} crashed during ${doing} phase (no response for ${silence})`;
        return { kind: 'fail', reason: 'crashed', line };
      }
      const line = `Agent ${agent} not responding (no message for ${silence}) - marking as hung`;
      return { kind: 'hung', line };
    }
    if (!heard.isWorking) return undefined;
    const stalledMs = heard.nowMs - this.#advancedAtMs;
    if (stalledMs >= stallMs) {
      const line = `Agent ${agent} got no further in its ${doing} phase for ${wholeSeconds(stalledMs)}`;
      return { kind: 'fail', reason: 'error', line };
    }
    if (stalledMs < warnAfterMs || this.#warned) return undefined;
    this.#warned = true;
    const line = `${agent}: answers, but got no further for ${wholeSeconds(stalledMs)} (storage slow or stalled?)`;
    return { kind: 'warn', line };
  }

  wakeAt(heard: Heard): number | undefined {
    const { silenceMs, stallMs } = this.#options;
    let due = this.#judgesSilence(heard) ? heard.heardAtMs + silenceMs : undefined;
    if (heard.isWorking) {
      due = earliest(due, this.#advancedAtMs + stallMs);
      if (!this.#warned) due = earliest(due, this.#advancedAtMs + warnAfterMs);
    }
    return due;
  }

  shift(ms: number): void {
    this.#advancedAtMs += ms;
  }

  #judgesSilence(heard: Heard): boolean {
    return this.#options.silent === 'crashed' || heard.connected;
  }
}
