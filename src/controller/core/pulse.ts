import type { AgentSession } from './agent-session.js';
import type { Outbox } from './outbox.js';

const periodMs = 1000;
const warnLateMs = 500;
const warnAgainMs = 10_000;

/** Once a second: the lease to every agent we hear, and a sign of our own life with how late it came. */
export class Pulse {
  readonly #outbox: Outbox;
  readonly #sessions: readonly AgentSession[];
  #startedAtMs = 0;
  #dueMs: number | undefined;
  #count = 0;
  #warnedAtMs = -Infinity;

  constructor(outbox: Outbox, sessions: readonly AgentSession[]) {
    this.#outbox = outbox;
    this.#sessions = sessions;
  }

  get startedAtMs(): number {
    return this.#startedAtMs;
  }

  start(nowMs: number): void {
    this.#startedAtMs = nowMs;
    this.#dueMs = nowMs + periodMs;
  }

  beat(nowMs: number): void {
    if (this.#dueMs === undefined || nowMs < this.#dueMs) return;
    const lateMs = nowMs - this.#dueMs;
    this.#dueMs = Math.max(this.#dueMs + periodMs, nowMs + periodMs / 2);
    this.#count += 1;
    this.#outbox.record({ type: 'heartbeat', lateMs });
    for (const session of this.#sessions) {
      if (!session.link.isOpen) continue;
      this.#outbox.send(session.index, { kind: 'lease', count: this.#count });
    }
    if (lateMs <= warnLateMs || nowMs - this.#warnedAtMs < warnAgainMs) return;
    this.#warnedAtMs = nowMs;
    const line = `Controller was late by ${String(Math.round(lateMs))} ms (its machine is overloaded, or it was stopped)`;
    this.#outbox.notice('warn', line);
  }

  wakeAt(): number | undefined {
    return this.#dueMs;
  }
}
