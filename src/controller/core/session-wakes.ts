import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentSession } from './agent-session.js';

/** A look at an agent takes about 1 µs, one at all of a large fleet may take a tenth of the time. */
const smallFleet = 64;
const glanceMsPerAgent = 0.01;
/** What changes for agents that nothing was heard of, as the end of a stage, is seen so much later at most. */
const lookAtAllEveryMs = 250;

/** When each session wants a tick, as of the last look at it. */
export class SessionWakes {
  readonly #sessions: readonly AgentSession[];
  /** Infinity: none. */
  readonly #wakesMs: Float64Array;
  /** Heard of or ticked since the last look. */
  readonly #touched = new Set<number>();
  readonly #isSmall: boolean;
  #lookAtAllMs = -Infinity;
  /** Looks lie this far apart. */
  readonly glanceMs: number;

  constructor(sessions: readonly AgentSession[]) {
    this.#sessions = sessions;
    this.#wakesMs = new Float64Array(sessions.length);
    this.#isSmall = sessions.length <= smallFleet;
    this.glanceMs = Math.max(0, sessions.length - smallFleet) * glanceMsPerAgent;
  }

  touch(index: number): void {
    this.#touched.add(index);
  }

  /** What holds for all has changed: the next look is at all. */
  touchAll(): void {
    this.#lookAtAllMs = -Infinity;
  }

  /** Ticks those whose time has come and those that something was heard of. */
  tick(now: Instant): void {
    for (let index = 0; index < this.#sessions.length; index += 1) {
      if (now.ms >= (this.#wakesMs[index] ?? 0)) this.#touched.add(index);
    }
    for (const index of this.#touched) this.#sessions[index]?.tick(now);
  }

  /** The earliest, Infinity when there is none. In a large fleet only those are looked at that were touched. */
  look(nowMs: number): number {
    if (this.#isSmall || nowMs >= this.#lookAtAllMs) {
      this.#lookAtAllMs = nowMs + lookAtAllEveryMs;
      for (let index = 0; index < this.#sessions.length; index += 1) this.#lookAt(index);
    } else for (const index of this.#touched) this.#lookAt(index);
    this.#touched.clear();
    let due = Infinity;
    for (const wakeMs of this.#wakesMs) if (wakeMs < due) due = wakeMs;
    return due;
  }

  #lookAt(index: number): void {
    this.#wakesMs[index] = this.#sessions[index]?.wakeAt() ?? Infinity;
  }
}
