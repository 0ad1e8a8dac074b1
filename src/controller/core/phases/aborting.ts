import type { Instant } from '../../../shared/kernel/clock.js';
import type { AgentSession } from '../agent-session.js';
import { wholeSeconds } from '../duration-text.js';
import { hasEnded } from '../transitions.js';
import type { SessionEvent } from '../session-events.js';
import type { Phase, RunContext } from './phase.js';

/** How much longer than the reconnect window an agent goes on without its controller (dead man's switch). */
const afterWindowMs = 5000;

/** Tells every agent to stop and waits, not too long, for its last words. */
export class Aborting implements Phase {
  readonly judgedAs = undefined;
  readonly #run: RunContext;
  readonly #reason: string;
  readonly #finish: () => void;
  readonly #awaited = new Set<AgentSession>();
  #deadlineMs = 0;

  constructor(run: RunContext, reason: string, finish: () => void) {
    this.#run = run;
    this.#reason = reason;
    this.#finish = finish;
  }

  name(): 'aborting' {
    return 'aborting';
  }

  enter(now: Instant): void {
    this.#deadlineMs = now.ms + this.#run.plan.timeouts.abortMs;
    for (const session of this.#run.sessions) this.#abort(session);
    if (this.#awaited.size === 0) return;
    const count = String(this.#awaited.size);
    const line = `Aborting... Sent ABORT to ${count} agents... Waiting for cleanup...`;
    this.#run.outbox.notice('info', line);
  }

  on(session: AgentSession, event: SessionEvent): void {
    if (event.kind === 'ended' || event.kind === 'failed') this.#awaited.delete(session);
  }

  poll(now: Instant): void {
    if (this.#awaited.size > 0 && now.ms < this.#deadlineMs) return;
    this.nameUnreached();
    this.#finish();
  }

  /** Whoever has not confirmed stops by its dead man's switch. */
  nameUnreached(): void {
    const { reconnectWindowMs } = this.#run.plan.timeouts;
    const within = wholeSeconds(reconnectWindowMs + afterWindowMs);
    for (const session of this.#awaited) {
      const line = `${session.id} not reached; it stops by itself within ${within}`;
      this.#run.outbox.notice('warn', line);
    }
    this.#awaited.clear();
  }

  wakeAt(): number {
    return this.#deadlineMs;
  }

  shift(ms: number): void {
    this.#deadlineMs += ms;
  }

  stage(): undefined {
    return undefined;
  }

  #abort(session: AgentSession): void {
    session.watchWith(undefined);
    // Nothing was asked of it yet, or it has nothing left to do: a goodbye is enough.
    if (session.state === 'CONNECTING' || session.state === 'IDLE' || hasEnded(session.state)) {
      session.close(this.#reason);
      return;
    }
    this.#awaited.add(session);
    // Reliable: waits in the link for an agent that has no stream now.
    this.#run.outbox.send(session.index, { kind: 'abort', reason: this.#reason });
    session.link.hurry();
  }
}
