import type { Timeouts } from '../../shared/model/plan.js';
import { wholeSeconds } from './duration-text.js';
import { earliest } from './earliest.js';
import { Stall, type LoadReport } from './stall.js';
import type { Heard, Verdict, Watch } from './watch.js';

/** No stats for this long is shown, and asked about without a word to the user. */
export const silentAfterMs = 3000;

export interface StageWatchOptions {
  readonly agent: string;
  readonly stageName: string;
  readonly times: Timeouts;
  /** T0, controller's clock. */
  readonly t0Ms: number;
  /** When the warm-up is over and second 0 begins. */
  readonly measuredMs: number;
  /** Undefined when the stage ends by operations or bytes. */
  readonly plannedEndMs: number | undefined;
}

/**
 * Judges the silence of one agent in one stage. Silence is counted from the last *stats*, not from the last message:
 * an agent may answer and its load be gone. A lost stream is judged by the reconnect window, not here.
 */
export class StageWatch implements Watch {
  readonly #options: StageWatchOptions;
  readonly #stall: Stall;
  #statsAtMs: number;
  #overAtMs: number | undefined;
  #asked: 'not' | 'quietly' | 'aloud' = 'not';
  #away = false;
  /** The controller itself did not look for so long. */
  #sleptMs = 0;

  constructor(options: StageWatchOptions) {
    this.#options = options;
    this.#stall = new Stall(options.agent, options.t0Ms);
    this.#statsAtMs = options.t0Ms;
    this.#overAtMs = options.plannedEndMs;
  }

  stats(nowMs: number): void {
    this.#statsAtMs = Math.max(this.#statsAtMs, nowMs);
    this.#asked = 'not';
  }

  statsAgeMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#statsAtMs);
  }

  /** How old an interval is on arrival, from when it should have been sampled; its own lateness is not the network's. */
  latencyMs(last: number, sampledLateNs: number, nowMs: number): number {
    const madeAtMs = this.#options.measuredMs + (last + 1) * 1000 + sampledLateNs / 1e6;
    return Math.max(0, nowMs - madeAtMs);
  }

  /** What a heartbeat says about the load; returns a line that is due. */
  load(report: LoadReport, nowMs: number): string | undefined {
    // There are no statistics of the warm-up: what a heartbeat says of the load stands for them.
    if (nowMs < this.#options.measuredMs) this.stats(nowMs);
    return this.#stall.report(report, nowMs);
  }

  /** It had been silent: what it says of its load before it has caught up is no stall. */
  heardAgain(nowMs: number): void {
    this.#stall.heardAgain(nowMs);
  }

  /** The stage is over for everybody, as far as can be told without a planned end. */
  over(atMs: number): void {
    this.#overAtMs ??= atMs;
  }

  /** Its stream is back after all: it had no way to send stats. */
  returned(nowMs: number): void {
    this.#away = false;
    this.stats(nowMs);
  }

  check(heard: Heard): Verdict | undefined {
    if (this.#away) return undefined;
    const { nowMs } = heard;
    const { agent, stageName, times } = this.#options;
    const silentEndMs = this.#silentEndMs(heard);
    if (silentEndMs !== undefined && nowMs >= silentEndMs) {
      if (heard.connected) return this.#hung(nowMs - heard.heardAtMs, 'message');
      this.#away = true;
      return { kind: 'away', line: `Agent ${agent} is not back at the end of stage ${stageName}` };
    }
    const stuckAtMs = this.#stuckAtMs();
    if (stuckAtMs !== undefined && nowMs >= stuckAtMs) {
      const late = wholeSeconds(nowMs - (this.#overAtMs ?? nowMs));
      const line = `Agent ${agent} still gave no result of stage ${stageName} ${late} after its end`;
      return { kind: 'fail', reason: 'error', line };
    }
    if (!heard.connected) return undefined;
    const age = nowMs - this.#statsAtMs;
    if (age >= this.#hungAfterMs(heard)) return this.#hung(age, 'stats');
    if (age >= times.pingAfterMs && this.#asked !== 'aloud') {
      this.#asked = 'aloud';
      const line = `Agent ${agent} no stats for ${wholeSeconds(age)}, sending PING`;
      return { kind: 'ping', line };
    }
    if (age < silentAfterMs || this.#asked !== 'not') return undefined;
    this.#asked = 'quietly';
    return { kind: 'ping', line: undefined };
  }

  wakeAt(heard: Heard): number | undefined {
    if (this.#away) return undefined;
    let due = earliest(this.#silentEndMs(heard), this.#stuckAtMs());
    if (heard.connected) {
      due = earliest(due, this.#statsAtMs + this.#hungAfterMs(heard));
      if (this.#asked !== 'aloud') {
        due = earliest(due, this.#statsAtMs + this.#options.times.pingAfterMs);
      }
      if (this.#asked === 'not') due = earliest(due, this.#statsAtMs + silentAfterMs);
    }
    return due;
  }

  shift(ms: number): void {
    this.#statsAtMs += ms;
    this.#sleptMs += ms;
    this.#stall.shift(ms);
  }

  /** A silent agent is given up `collect` after the end of the stage, or after its last word if that came later. */
  #silentEndMs(heard: Heard): number | undefined {
    if (this.#overAtMs === undefined) return undefined;
    return Math.max(this.#overAtMs, heard.heardAtMs) + this.#options.times.collectMs;
  }

  /**
   * It talks, but its result does not come: its own drain deadline and the kill after it must have acted by then.
   * Without a planned end a slow agent may go on after the first one is done, as long as operations complete.
   */
  #stuckAtMs(): number | undefined {
    if (this.#overAtMs === undefined) return undefined;
    const { drainMs, abortMs, collectMs } = this.#options.times;
    const planned = this.#options.plannedEndMs !== undefined;
    const from = planned ? this.#overAtMs : Math.max(this.#overAtMs, this.#stall.completedAtMs);
    return from + drainMs + abortMs + collectMs + this.#sleptMs;
  }

  #hungAfterMs(heard: Heard): number {
    const { pingAfterMs, hungAfterMs, collectMs } = this.#options.times;
    const limit = pingAfterMs + hungAfterMs;
    // The agent judges its runner by the same time: its own report says more than "hung" and is on the way.
    return heard.runnerSilent ? limit + collectMs : limit;
  }

  #hung(silentMs: number, what: 'stats' | 'message'): Verdict {
    const silence = `no ${what} for ${wholeSeconds(silentMs)}`;
    const line = `Agent ${this.#options.agent} not responding (${silence}) - marking as hung`;
    return { kind: 'hung', line };
  }
}
