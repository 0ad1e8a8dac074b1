import type { Progress } from '../../shared/model/messages.js';
import { silentWorkload } from '../../shared/model/stalled-by.js';
import { threadsText } from './threads-text.js';
import { wholeSeconds } from './duration-text.js';
import { earliest } from './earliest.js';
import type { ThreadsProgress } from './snapshot.js';
import { silentAfterMs } from './stage-watch.js';
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
  /** Since when it is known that it answers and gets no further: it advanced, or is heard again. */
  #standsSinceMs: number;
  #warned = false;

  constructor(options: WorkOptions, nowMs: number) {
    this.#options = options;
    this.#advancedAtMs = nowMs;
    this.#standsSinceMs = nowMs;
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

  /** Threads are being started and warmed, which is no storage's work: how many of them are. */
  get threads(): ThreadsProgress | undefined {
    if (this.#latest?.phase !== 'threads') return undefined;
    return { done: this.#latest.filesDone, total: this.#latest.filesTotal };
  }

  /** A step was done that is progress in itself. */
  advanced(nowMs: number): void {
    this.#advancedAtMs = nowMs;
    this.#standsSinceMs = nowMs;
    this.#warned = false;
  }

  /** It had been silent, or without a stream: what it did meanwhile, or could not do, says nothing of its storage. */
  heardAgain(nowMs: number): void {
    this.#standsSinceMs = nowMs;
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
    // Silence or a lost stream is no sign of slow storage, and has deadlines of its own.
    if (!heard.connected || silentMs >= silentAfterMs) this.#standsSinceMs = heard.nowMs;
    const standsMs = heard.nowMs - this.#standsSinceMs;
    if (standsMs < warnAfterMs || this.#warned) return undefined;
    this.#warned = true;
    const time = wholeSeconds(standsMs);
    return { kind: 'warn', line: `${agent}: ${this.#standing(time, heard.runnerSilent)}` };
  }

  #standing(time: string, runnerSilent: boolean): string {
    if (this.isWaiting) return `has waited for the files of other agents for ${time}`;
    return `answers, but got no further for ${time} (${this.#cause(runnerSilent)})`;
  }

  #cause(runnerSilent: boolean): string {
    if (runnerSilent) return silentWorkload;
    const { threads } = this;
    return threads ? `${threadsText(threads)}: CPUs busy?` : 'storage slow or stalled?';
  }

  wakeAt(heard: Heard): number | undefined {
    const { silenceMs, stallMs } = this.#options;
    let due = this.#judgesSilence(heard) ? heard.heardAtMs + silenceMs : undefined;
    if (heard.isWorking) {
      due = earliest(due, this.#advancedAtMs + stallMs);
      const warnAtMs = this.#standsSinceMs + warnAfterMs;
      // Silent until then by what is known now: the next message leads to another look.
      const isHeard = heard.connected && warnAtMs < heard.heardAtMs + silentAfterMs;
      if (isHeard && !this.#warned) due = earliest(due, warnAtMs);
    }
    return due;
  }

  shift(ms: number): void {
    this.#advancedAtMs += ms;
    this.#standsSinceMs += ms;
  }

  #judgesSilence(heard: Heard): boolean {
    return this.#options.silent === 'crashed' || heard.connected;
  }
}
