import { sleptMs } from '../../shared/kernel/clock.js';
import type { Instant } from '../../shared/kernel/clock.js';
import type { Plan } from '../../shared/model/plan.js';
import { AgentSession } from './agent-session.js';
import { Announcer } from './announcer.js';
import type { RunEvent } from './decisions.js';
import { earliest } from './earliest.js';
import { Judge } from './judge.js';
import { Outbox } from './outbox.js';
import { Aborting } from './phases/aborting.js';
import { firstPhase, phaseAt } from './phases/itinerary.js';
import type { Destination, Phase, RunContext } from './phases/phase.js';
import { Pulse } from './pulse.js';
import { judgeEnd } from './run-end.js';
import { RateDivision } from './rate-division.js';
import { isRoutine } from './routine-messages.js';
import type { RunEffect, RunInput, RunOptions } from './run-io.js';
import { statusOf } from './run-status.js';
import type { SessionEvent } from './session-events.js';
import { takeInput } from './session-inputs.js';
import { SessionWakes } from './session-wakes.js';
import type { RunStatus } from './snapshot.js';

/**
 * The run machine: `handle` takes one input and returns the effects to carry out in their order; `wakeAt` is when it
 * wants a tick (Instant.ms), undefined once it has finished. Pure: no clock, no I/O.
 */
export class Run implements RunContext {
  readonly options: RunOptions;
  readonly plan: Plan;
  readonly outbox = new Outbox();
  readonly division: RateDivision;
  readonly sessions: readonly AgentSession[];
  readonly #events: { session: AgentSession; event: SessionEvent }[] = [];
  readonly #pulse: Pulse;
  readonly #judge: Judge;
  readonly #announcer: Announcer;
  #phase: Phase;
  #interrupted = false;
  #started = false;
  #finished = false;
  #wakeAtMs: number | undefined;
  readonly #wakes: SessionWakes;

  constructor(options: RunOptions) {
    this.options = options;
    this.plan = options.plan;
    this.sessions = this.plan.agents.map((agent) => {
      const session: AgentSession = new AgentSession({
        plan: this.plan,
        mode: options.mode,
        agent,
        random: options.random,
        outbox: this.outbox,
        emit: (event) => this.#events.push({ session, event }),
      });
      return session;
    });
    this.#wakes = new SessionWakes(this.sessions);
    this.division = new RateDivision(this.plan, this.outbox);
    this.#pulse = new Pulse(this.outbox, this.sessions);
    this.#judge = new Judge(this.plan.failurePolicy, this.sessions, this.outbox);
    this.#announcer = new Announcer(options, this.outbox);
    this.#phase = firstPhase(this);
  }

  handle(input: RunInput, now: Instant): RunEffect[] {
    if (this.#finished) return [];
    this.#forgiveOwnSleep(now);
    this.#take(input, now);
    if (this.#changesNothing(input, now)) return this.outbox.take();
    if ('agent' in input) this.#wakes.touch(input.agent);
    if (this.#started) this.#proceed(now);
    this.#wakeAtMs = this.#nextWake(now.ms);
    return this.outbox.take();
  }

  /**
   * Takes a message as `handle` does, but what follows for the run waits for the tick that is wanted now: of messages
   * that come together, only the last one costs a look at all agents.
   */
  hear(input: Extract<RunInput, { kind: 'message' }>, now: Instant): RunEffect[] {
    if (this.#finished) return [];
    this.#forgiveOwnSleep(now);
    this.#take(input, now);
    if (this.#changesNothing(input, now)) return this.outbox.take();
    this.#wakes.touch(input.agent);
    this.#wakeAtMs = Math.min(this.#wakeAtMs ?? Infinity, now.ms + this.#wakes.glanceMs);
    return this.outbox.take();
  }

  wakeAt(): number | undefined {
    return this.#wakeAtMs;
  }

  hasFinished(): boolean {
    return this.#finished;
  }

  snapshot(now: Instant): RunStatus {
    return statusOf(this, this.#finished ? undefined : this.#phase, now.ms);
  }

  /** Agents that cannot be told anything now, and may be at work. */
  get outOfReach(): readonly number[] {
    return this.sessions.filter(({ ending }) => ending.mayStillWork).map(({ index }) => index);
  }

  /** Nobody is waited for any longer: until when these agents may be at work, if they are not known to have ended. */
  nameUntold(agents: readonly number[], now: Instant): RunEffect[] {
    for (const { index, ending } of this.sessions) {
      if (agents.includes(index) && ending.isUnconfirmed) ending.notReached(now.ms);
    }
    return this.outbox.take();
  }

  reached(destination: Destination, now: Instant): void {
    const next = phaseAt(this, destination);
    if (next) {
      this.#enter(next, now);
      return;
    }
    const { code, reason } = judgeEnd(this.sessions, this.options);
    this.#judge.note(code, reason);
    for (const session of this.sessions) {
      if (session.ending.mayStillWork) session.ending.notReached(now.ms);
    }
    this.#finish('the run is over');
  }

  notStartable(reason: string, now: Instant): void {
    this.#decide('notStartable', undefined, reason, now);
  }

  #enter(phase: Phase, now: Instant): void {
    this.#phase = phase;
    this.#wakes.touchAll();
    phase.enter(now);
    this.#announcer.entered(phase, now.ms);
    phase.poll(now);
  }

  #take(input: RunInput, now: Instant): void {
    if (input.kind === 'start') this.#start(now);
    else if (input.kind === 'interrupt') this.#interrupt(input.signal, now);
    else if (input.kind !== 'tick') {
      const session = this.sessions[input.agent];
      if (session) takeInput(session, input, now);
    }
  }

  #start(now: Instant): void {
    if (this.#started) return;
    this.#started = true;
    this.#pulse.start(now.ms);
    this.#announcer.start(now.ms);
    this.#enter(this.#phase, now);
  }

  /**
   * With many agents most inputs are a heartbeat or an interval, after which deadlines only lie later: the old wakeAt()
   * is early, which does no harm, and nothing else need be looked at.
   */
  #changesNothing(input: RunInput, now: Instant): boolean {
    if (input.kind !== 'message' || this.#events.length > 0) return false;
    if (this.#wakeAtMs === undefined || now.ms >= this.#wakeAtMs) return false;
    return isRoutine(input.message, this.sessions[input.agent]);
  }

  /** What follows from an input: watches, what the sessions tell, and how far the phase has come. */
  #proceed(now: Instant): void {
    this.#tellEvents(now);
    if (this.hasFinished()) return;
    this.#pulse.beat(now.ms);
    this.#wakes.tick(now);
    this.#tellEvents(now);
    if (this.hasFinished()) return;
    this.#phase.poll(now);
    this.#tellEvents(now);
  }

  #tellEvents(now: Instant): void {
    for (let next = this.#events.shift(); next && !this.#finished; next = this.#events.shift()) {
      const { session, event } = next;
      this.#announcer.tell(session, event, this.#phase, now);
      this.#phase.on(session, event, now);
      if (event.kind === 'failed' || event.kind === 'hung') {
        if (this.#phase instanceof Aborting) this.#whileAborting(event);
        else this.#decide(event.kind, session, event.line, now);
      }
    }
  }

  #decide(event: RunEvent, session: AgentSession | undefined, why: string, now: Instant): void {
    const column = this.#phase.judgedAs ?? (event === 'notStartable' ? 'startup' : undefined);
    if (column === undefined) return;
    const reason = this.#judge.rule(event, column, session?.index, why);
    if (reason !== undefined) this.#abort(reason, now);
  }

  /** Who cannot be reached any more is no cause of what ends already; who reports a failure of its own is. */
  #whileAborting(event: Extract<SessionEvent, { kind: 'failed' | 'hung' }>): void {
    if (event.kind === 'failed' && event.reason !== 'lost') this.#judge.alsoFailed(event.line);
  }

  #interrupt(signal: 'SIGINT' | 'SIGTERM', now: Instant): void {
    const name = signal === 'SIGINT' ? 'Ctrl-C' : signal;
    if (this.#interrupted) {
      if (this.#phase instanceof Aborting) this.#phase.nameUnreached(now);
      this.#finish(`interrupted by ${name}`);
      return;
    }
    this.#interrupted = true;
    this.outbox.notice('warn', `Received ${name} - aborting all agents`);
    const column = this.#phase.judgedAs ?? 'startup';
    const reason = this.#judge.rule('interrupt', column, undefined, `interrupted by ${name}`);
    if (reason !== undefined) this.#abort(reason, now);
  }

  #abort(reason: string, now: Instant): void {
    if (this.#phase instanceof Aborting || this.#finished) return;
    const finish = (): void => {
      this.#finish(reason);
    };
    this.#enter(new Aborting(this, reason, finish), now);
  }

  #finish(reason: string): void {
    if (this.#finished) return;
    this.#finished = true;
    for (const session of this.sessions) session.close(reason);
    this.outbox.push({ kind: 'finished', ...this.#judge.end() });
  }

  /** Timers fire before what arrived in the meantime is read: time slept is taken out of every judgement. */
  #forgiveOwnSleep(now: Instant): void {
    const lateMs = this.#wakeAtMs === undefined ? 0 : now.ms - this.#wakeAtMs;
    if (lateMs < sleptMs) return;
    for (const session of this.sessions) session.shift(lateMs, now.ms);
    this.#phase.shift(lateMs);
    this.#wakes.touchAll();
    // Once: what is heard before the next tick comes after the same sleep.
    this.#wakeAtMs = now.ms;
  }

  #nextWake(nowMs: number): number | undefined {
    if (this.#finished) return undefined;
    const own = earliest(this.#pulse.wakeAt(), this.#phase.wakeAt());
    const due = Math.min(own ?? Infinity, this.#wakes.look(nowMs));
    return due === Infinity ? undefined : Math.max(due, nowMs + this.#wakes.glanceMs);
  }
}
