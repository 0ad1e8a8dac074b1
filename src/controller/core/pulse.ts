import type { AgentSession } from './agent-session.js';
import type { Outbox } from './outbox.js';

const periodMs = 1000;
const warnLateMs = 500;
const warnAgainMs = 10_000;

/** Those of a larger fleet are spread over the second: a thousand at once hold the loop up (docs/benchmarks.md). */
const leasesAtOnce = 25;
const mostParts = 40;

/** Once a second: the lease to every agent we hear, and a sign of our own life with how late it came. */
export class Pulse {
  readonly #outbox: Outbox;
  readonly #sessions: readonly AgentSession[];
  /** The fleet's parts have their turns in this many parts of a second. */
  readonly #parts: number;
  #dueMs = Infinity;
  #nextPart = 0;
  #partDueMs = Infinity;
  #count = 0;
  #warnedAtMs = -Infinity;

  constructor(outbox: Outbox, sessions: readonly AgentSession[]) {
    this.#outbox = outbox;
    this.#sessions = sessions;
    this.#parts = Math.max(1, Math.min(Math.ceil(sessions.length / leasesAtOnce), mostParts));
  }

  start(nowMs: number): void {
    this.#dueMs = nowMs + periodMs;
    this.#partDueMs = nowMs + periodMs / this.#parts;
  }

  beat(nowMs: number): void {
    if (nowMs >= this.#dueMs) this.#sign(nowMs);
    if (nowMs >= this.#partDueMs) this.#lease(nowMs);
  }

  /** Infinity before the start. */
  wakeAt(): number {
    return Math.min(this.#dueMs, this.#partDueMs);
  }

  #sign(nowMs: number): void {
    const lateMs = nowMs - this.#dueMs;
    this.#dueMs = dueAfter(this.#dueMs, periodMs, nowMs);
    this.#outbox.record({ type: 'heartbeat', lateMs });
    if (lateMs <= warnLateMs || nowMs - this.#warnedAtMs < warnAgainMs) return;
    this.#warnedAtMs = nowMs;
    const line = `Controller was late by ${String(Math.round(lateMs))} ms (its machine is overloaded, or it was stopped)`;
    this.#outbox.notice('warn', line);
  }

  /** To the part of the fleet whose turn it is. */
  #lease(nowMs: number): void {
    this.#partDueMs = dueAfter(this.#partDueMs, periodMs / this.#parts, nowMs);
    if (this.#nextPart === 0) this.#count += 1;
    const { length } = this.#sessions;
    const from = Math.floor((this.#nextPart / this.#parts) * length);
    this.#nextPart += 1;
    const to = Math.floor((this.#nextPart / this.#parts) * length);
    for (const { index, link } of this.#sessions.slice(from, to)) {
      if (link.isOpen) this.#outbox.send(index, { kind: 'lease', count: this.#count });
    }
    if (this.#nextPart === this.#parts) this.#nextPart = 0;
  }
}

/** A beat that came late is not made up for by two that come together. */
function dueAfter(dueMs: number, everyMs: number, nowMs: number): number {
  return Math.max(dueMs + everyMs, nowMs + everyMs / 2);
}
