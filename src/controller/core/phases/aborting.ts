import type { Instant } from '../../../shared/kernel/clock.js';
import type { AgentSession } from '../agent-session.js';
import { datasetsLeft } from '../datasets-left.js';
import type { SessionEvent } from '../session-events.js';
import type { Phase, RunContext } from './phase.js';
import { counted } from '../../../shared/kernel/counted.js';

/** Tells every agent to stop and waits, not too long, for its last words. */
export class Aborting implements Phase {
  readonly judgedAs = undefined;
  readonly #run: RunContext;
  readonly #reason: string;
  readonly #finish: () => void;
  readonly #awaited = new Set<AgentSession>();
  #told = 0;
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
    for (const session of this.#run.sessions) this.#abort(session, now);
    if (this.#told === 0) return;
    const all = counted(this.#told, 'agent');
    const line = `Aborting... Sent ABORT to ${all}... Waiting for cleanup...`;
    this.#run.outbox.notice('info', line);
  }

  on(session: AgentSession, event: SessionEvent, now: Instant): void {
    const { ending } = session;
    switch (event.kind) {
      case 'ended':
        this.#awaited.delete(session);
        return;
      case 'disconnected':
        if (ending.hasFailedByItself) this.#awaited.delete(session);
        return;
      case 'failed':
        // It says so itself: its result and its Final follow.
        if (ending.lastWordsUntilMs(now.ms) !== undefined) return;
        this.#awaited.delete(session);
        return;
      default:
    }
  }

  poll(now: Instant): void {
    if (now.ms < this.#deadlineMs && this.#isIncomplete(now.ms)) return;
    this.nameUnreached(now);
    const { sessions, options, outbox } = this.#run;
    const left = datasetsLeft(sessions, options);
    if (left !== undefined) outbox.notice('warn', left);
    this.#finish();
  }

  /** Whoever has not confirmed, and who was lost before and may not know it. */
  nameUnreached(now: Instant): void {
    for (const session of this.#run.sessions) {
      const isUnreached = this.#awaited.has(session) || session.ending.mayStillWork;
      if (isUnreached) session.ending.notReached(now.ms);
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

  /** Last words overtake the time line. */
  #isIncomplete(nowMs: number): boolean {
    return (
      this.#awaited.size > 0 || this.#run.sessions.some((session) => session.owesIntervals(nowMs))
    );
  }

  #abort(session: AgentSession, now: Instant): void {
    session.lookout.watch = undefined;
    if (needsNoAbort(session)) {
      if (!session.owesIntervals(now.ms)) session.close(this.#reason);
      return;
    }
    this.#awaited.add(session);
    // It has ended by itself, and its result is on the way.
    if (session.ending.lastWordsUntilMs(now.ms) !== undefined) return;
    this.#told += 1;
    session.ending.abort(this.#reason);
    session.link.hurry();
  }
}

/** Nothing was asked of it yet, it has said its last word, or it cannot be reached: a goodbye is enough. */
function needsNoAbort({ state, states, ending, link }: AgentSession): boolean {
  if (!states.wasTold || state === 'COMPLETED') return true;
  if (state === 'FAILED' && !link.isOpen) return true;
  return ending.hasSpokenLast && state !== 'CLEANING';
}
