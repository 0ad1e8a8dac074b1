import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentSession } from './agent-session.js';
import { earliest } from './earliest.js';

/** A look at all agents of a large fleet takes about 1 µs for each: it may take a tenth of the time. */
const smallFleet = 64;
const glanceMsPerAgent = 0.01;

/** When each session wants a tick, as of the last look at all of them. */
export class SessionWakes {
  readonly #sessions: readonly AgentSession[];
  readonly #wakesMs: number[] = [];
  /** Something was heard of them since. */
  readonly #touched = new Set<number>();
  /** Looks at all of them lie this far apart. */
  readonly glanceMs: number;

  constructor(sessions: readonly AgentSession[]) {
    this.#sessions = sessions;
    this.glanceMs = Math.max(0, sessions.length - smallFleet) * glanceMsPerAgent;
  }

  touch(index: number): void {
    this.#touched.add(index);
  }

  /** Ticks those whose time has come and those that something was heard of. */
  tick(now: Instant): void {
    for (const [index, session] of this.#sessions.entries()) {
      if (now.ms >= (this.#wakesMs[index] ?? 0) || this.#touched.has(index)) session.tick(now);
    }
    this.#touched.clear();
  }

  /** The earliest, after a look at all. */
  look(): number | undefined {
    let due: number | undefined;
    for (const [index, session] of this.#sessions.entries()) {
      const wakeAtMs = session.wakeAt();
      this.#wakesMs[index] = wakeAtMs ?? Infinity;
      due = earliest(due, wakeAtMs);
    }
    return due;
  }
}
