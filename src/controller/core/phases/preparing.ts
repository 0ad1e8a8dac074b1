import type { Instant } from '../../../shared/kernel/clock.js';
import type { AgentSession } from '../agent-session.js';
import { wholeSeconds } from '../duration-text.js';
import type { SessionEvent } from '../session-events.js';
import { WorkWatch } from '../work-watch.js';
import type { Phase, RunContext } from './phase.js';

/** Has every agent make its part of the dataset, however long that takes as long as it gets on. */
export class Preparing implements Phase {
  readonly judgedAs = 'prepare';
  readonly #run: RunContext;
  readonly #told = new Set<AgentSession>();
  #beganAtMs = 0;

  constructor(run: RunContext) {
    this.#run = run;
  }

  name(): 'preparing' {
    return 'preparing';
  }

  enter(now: Instant): void {
    this.#beganAtMs = now.ms;
    const { prepareSilenceMs, prepareIoStallMs } = this.#run.plan.timeouts;
    for (const session of this.#run.sessions) {
      session.lookout.watch = new WorkWatch(
        {
          agent: session.id,
          doing: 'prepare',
          silenceMs: prepareSilenceMs,
          silent: 'crashed',
          stallMs: prepareIoStallMs,
        },
        now.ms,
      );
    }
    this.#tellThoseWhoMay(now);
  }

  on(_session: AgentSession, event: SessionEvent, now: Instant): void {
    if (event.kind !== 'failed' && event.kind !== 'hung') return;
    const { sessions, outbox } = this.#run;
    const ready = sessions.filter((session) => this.#isDone(session)).length;
    const elapsed = wholeSeconds(now.ms - this.#beganAtMs);
    const count = `${String(ready)}/${String(sessions.length)}`;
    outbox.notice('error', `Only ${count} agents ready after ${elapsed}`);
  }

  poll(now: Instant): void {
    this.#tellThoseWhoMay(now);
    this.#excuseThoseWhoWait(now);
    if (!this.#run.sessions.every((session) => this.#isDone(session))) return;
    this.#run.reached({ kind: 'prepared' }, now);
  }

  wakeAt(): undefined {
    return undefined;
  }

  shift(): void {
    // No deadline of its own: the watches over silence and progress end it.
  }

  stage(): undefined {
    return undefined;
  }

  /** In a shared dataset the first agent makes the marker before the others may write. */
  #tellThoseWhoMay(now: Instant): void {
    const { plan, sessions } = this.#run;
    const [first] = sessions;
    const isMarked = first !== undefined && (first.marked || this.#isDone(first));
    const mayAll = plan.namespace === 'private' || isMarked;
    for (const session of sessions) {
      if (this.#told.has(session) || !(mayAll || session === first)) continue;
      this.#told.add(session);
      const assignment = JSON.stringify(this.#run.options.assignments[session.index]);
      this.#run.outbox.send(session.index, { kind: 'prepare', assignment });
      session.toldToPrepare();
      session.lookout.work?.advanced(now.ms);
    }
  }

  /** In a shared dataset who is done waits for the others: no stall as long as one of them is at work, and watched. */
  #excuseThoseWhoWait(now: Instant): void {
    const { sessions } = this.#run;
    const waiting = sessions.filter(({ lookout }) => lookout.work?.isWaiting === true);
    if (waiting.length === 0) return;
    const working = sessions.some(
      (session) => this.#told.has(session) && !waiting.includes(session) && !this.#isDone(session),
    );
    if (working) for (const session of waiting) session.lookout.work?.advanced(now.ms);
  }

  #isDone(session: AgentSession): boolean {
    return this.#run.options.mode === 'run'
      ? session.readyStage === 0
      : session.state === 'COMPLETED';
  }
}
