import type { Timeouts } from '../../shared/model/plan.js';
import { wholeSeconds } from './duration-text.js';

/** No stats for this long is shown, and asked about without a word to the user. */
export const silentAfterMs = 3000;

export interface Heard {
  readonly nowMs: number;
  /** Anything from the agent. */
  readonly heardAtMs: number;
  readonly connected: boolean;
  /** When the stage is over for everybody, if that is known. */
  readonly overAtMs: number | undefined;
  /** From when on an agent that talks but sends no result counts as stuck; not before overAtMs. */
  readonly stuckFromMs: number;
  /** The agent itself waits for a silent runner, and will report FAILED. */
  readonly runnerSilent: boolean;
}

export type StageVerdict =
  | { readonly kind: 'ping'; readonly line: string | undefined }
  | { readonly kind: 'hung'; readonly line: string }
  /** Without a stream at the end of the stage: the stage does not wait, the agent may still come back. */
  | { readonly kind: 'away'; readonly line: string }
  | { readonly kind: 'stuck'; readonly line: string };

/**
 * Judges the silence of one agent in one stage. Silence is counted from the last *stats*, not from the last message:
 * an agent may answer and its load be gone. A lost stream is judged by the reconnect window, not here.
 */
export class StageWatch {
  readonly #agent: string;
  readonly #stageName: string;
  readonly #times: Timeouts;
  #statsAtMs: number;
  #asked: 'not' | 'quietly' | 'aloud' = 'not';

  constructor(agent: string, stageName: string, times: Timeouts, t0Ms: number) {
    this.#agent = agent;
    this.#stageName = stageName;
    this.#times = times;
    this.#statsAtMs = t0Ms;
  }

  stats(nowMs: number): void {
    this.#statsAtMs = Math.max(this.#statsAtMs, nowMs);
    this.#asked = 'not';
  }

  statsAgeMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#statsAtMs);
  }

  check(heard: Heard): StageVerdict | undefined {
    const { nowMs } = heard;
    const { pingAfterMs } = this.#times;
    if (heard.overAtMs !== undefined && nowMs >= this.#silentEndMs(heard.overAtMs, heard)) {
      const silentMs = nowMs - heard.heardAtMs;
      if (heard.connected) return { kind: 'hung', line: this.#hungLine(silentMs, 'message') };
      const line = `Agent ${this.#agent} was not back at the end of stage ${this.#stageName}`;
      return { kind: 'away', line };
    }
    if (heard.overAtMs !== undefined && nowMs >= this.#stuckAtMs(heard.overAtMs, heard)) {
      const line = `Agent ${this.#agent} did not end stage ${this.#stageName} within ${wholeSeconds(nowMs - heard.overAtMs)} after its end`;
      return { kind: 'stuck', line };
    }
    if (!heard.connected) return undefined;
    const age = nowMs - this.#statsAtMs;
    if (age >= this.#hungAfterMs(heard.runnerSilent)) {
      return { kind: 'hung', line: this.#hungLine(age, 'stats') };
    }
    if (age >= pingAfterMs && this.#asked !== 'aloud') {
      this.#asked = 'aloud';
      const line = `Agent ${this.#agent} no stats for ${wholeSeconds(age)}, sending PING`;
      return { kind: 'ping', line };
    }
    if (age >= silentAfterMs && this.#asked === 'not') {
      this.#asked = 'quietly';
      return { kind: 'ping', line: undefined };
    }
    return undefined;
  }

  wakeAt(heard: Heard): number | undefined {
    const due: number[] = [];
    if (heard.overAtMs !== undefined) {
      due.push(this.#silentEndMs(heard.overAtMs, heard), this.#stuckAtMs(heard.overAtMs, heard));
    }
    if (heard.connected) {
      due.push(this.#statsAtMs + this.#hungAfterMs(heard.runnerSilent));
      if (this.#asked !== 'aloud') due.push(this.#statsAtMs + this.#times.pingAfterMs);
      if (this.#asked === 'not') due.push(this.#statsAtMs + silentAfterMs);
    }
    return due.length > 0 ? Math.min(...due) : undefined;
  }

  shift(ms: number): void {
    this.#statsAtMs += ms;
  }

  /** A silent agent is given up `collect` after the end of the stage, or after its last word if that came later. */
  #silentEndMs(overAtMs: number, heard: Heard): number {
    return Math.max(overAtMs, heard.heardAtMs) + this.#times.collectMs;
  }

  /** It talks, but its result does not come: its own drain deadline and the kill after it must have acted by then. */
  #stuckAtMs(overAtMs: number, heard: Heard): number {
    return (
      Math.max(overAtMs, heard.stuckFromMs) +
      this.#times.drainMs +
      this.#times.abortMs +
      this.#times.collectMs
    );
  }

  #hungAfterMs(runnerSilent: boolean): number {
    const limit = this.#times.pingAfterMs + this.#times.hungAfterMs;
    // The agent judges its runner by the same time: its own report says more than "hung" and is on the way.
    return runnerSilent ? limit + this.#times.collectMs : limit;
  }

  #hungLine(silentMs: number, what: 'stats' | 'message'): string {
    return `Agent ${this.#agent} not responding (no ${what} for ${wholeSeconds(silentMs)}) - marking as hung`;
  }
}
