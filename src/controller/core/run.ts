import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentMessage } from '../../shared/model/messages.js';
import { exitCodes, gravest, type ExitCode } from '../../shared/model/outcome.js';
import type { Plan } from '../../shared/model/plan.js';
import { AgentSession } from './agent-session.js';
import { decide, isAlive, policyText, type RunEvent, type Standing } from './decisions.js';
import { wholeSeconds } from './duration-text.js';
import { Outbox } from './outbox.js';
import { Aborting } from './phases/aborting.js';
import { Connecting } from './phases/connecting.js';
import type { Phase, RunContext } from './phases/phase.js';
import { Pulse } from './pulse.js';
import { judgeEnd, outcomeOf } from './run-end.js';
import type { RunEffect, RunInput, RunOptions } from './run-io.js';
import { statusOf } from './run-status.js';
import type { SessionEvent } from './session-events.js';
import type { RunStatus } from './snapshot.js';
import { workDone } from './work-done.js';

/** Waking later than this is not jitter: the controller itself was stopped or starved, and judges nobody by that time. */
const sleptMs = 2000;

/** Messages that by themselves move no phase on. */
const routine: ReadonlySet<AgentMessage['kind']> = new Set([
  'heartbeat',
  'progress',
  'ping',
  'pong',
  'probeReply',
  'log',
]);

/**
 * The run machine: `handle` takes one input and returns the effects to carry out in their order; `wakeAt` is when it
 * wants a tick (Instant.ms), undefined once it has finished. Pure: no clock, no I/O.
 */
export class Run implements RunContext {
  readonly options: RunOptions;
  readonly plan: Plan;
  readonly outbox = new Outbox();
  readonly sessions: readonly AgentSession[];
  readonly #events: { session: AgentSession; event: SessionEvent }[] = [];
  readonly #pulse: Pulse;
  readonly #codes: ExitCode[] = [];
  #phase: Phase;
  #reason: string | undefined;
  #notRepresentative = false;
  #interrupted = false;
  #started = false;
  #finished = false;
  #workloadBeganMs: number | undefined;
  #wakeAtMs: number | undefined;

  constructor(options: RunOptions) {
    this.options = options;
    this.plan = options.plan;
    this.sessions = this.plan.agents.map((agent) => {
      const session: AgentSession = new AgentSession({
        plan: this.plan,
        agent,
        random: options.random,
        outbox: this.outbox,
        emit: (event) => this.#events.push({ session, event }),
      });
      return session;
    });
    this.#pulse = new Pulse(this.outbox, this.sessions);
    this.#phase = new Connecting(this);
  }

  handle(input: RunInput, now: Instant): RunEffect[] {
    if (this.#finished) return [];
    this.#forgiveOwnSleep(now);
    this.#take(input, now);
    if (this.#changesNothing(input, now)) return this.outbox.take();
    if (this.#started) this.#proceed(now);
    this.#wakeAtMs = this.hasFinished() ? undefined : this.#nextWake();
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

  enter(phase: Phase, now: Instant): void {
    this.#phase = phase;
    phase.enter(now);
    if (phase.name(now.ms) === 'arming') this.#workloadBeganMs ??= now.ms;
    phase.poll(now);
  }

  notStartable(reason: string, now: Instant): void {
    this.#decide('notStartable', undefined, reason, now);
  }

  complete(): void {
    const { code, reason } = judgeEnd(this.sessions, this.options);
    this.#codes.push(code);
    this.#reason ??= reason;
    this.#finish();
  }

  #take(input: RunInput, now: Instant): void {
    switch (input.kind) {
      case 'start':
        if (this.#started) return;
        this.#started = true;
        this.#pulse.start(now.ms);
        this.enter(this.#phase, now);
        return;
      case 'dialed':
        this.sessions[input.agent]?.dialed(input.generation, input.hello, input.welcome, now);
        return;
      case 'dialFailed':
        this.sessions[input.agent]?.dialFailed(input, now);
        return;
      case 'linkLost':
        this.sessions[input.agent]?.linkLost(input.generation, input.reason, now);
        return;
      case 'message': {
        const { agent, generation, message, receivedNs } = input;
        this.sessions[agent]?.receive(generation, message, receivedNs, now);
        return;
      }
      case 'invalid': {
        const { agent, generation, sequence, reason } = input;
        this.sessions[agent]?.receivedInvalid(generation, sequence, reason, now);
        return;
      }
      case 'helloResult':
        this.sessions[input.agent]?.helloAnswered(input.hello, now);
        return;
      case 'interrupt':
        this.#interrupt(input.signal, now);
        return;
      case 'tick':
        return;
      default:
        input satisfies never;
    }
  }

  /**
   * With many agents most inputs are a heartbeat or an interval, after which deadlines only lie later: the old wakeAt()
   * is early, which does no harm, and nothing else need be looked at.
   */
  #changesNothing(input: RunInput, now: Instant): boolean {
    if (input.kind !== 'message' || this.#events.length > 0) return false;
    if (this.#wakeAtMs === undefined || now.ms >= this.#wakeAtMs) return false;
    const { message } = input;
    if (message.kind !== 'interval') return routine.has(message.kind);
    return this.sessions[input.agent]?.delivery(message.stage).result === undefined;
  }

  /** What follows from an input: watches, what the sessions tell, and how far the phase has come. */
  #proceed(now: Instant): void {
    this.#tellEvents(now);
    if (this.hasFinished()) return;
    this.#pulse.beat(now.ms);
    for (const session of this.sessions) session.tick(now);
    this.#tellEvents(now);
    if (this.hasFinished()) return;
    this.#phase.poll(now);
    this.#tellEvents(now);
  }

  #tellEvents(now: Instant): void {
    for (let next = this.#events.shift(); next && !this.#finished; next = this.#events.shift()) {
      const { session, event } = next;
      const phase = this.#phase;
      this.#announce(session, event, now);
      phase.on(session, event, now);
      if (event.kind === 'failed' || event.kind === 'hung') {
        this.#decide(event.kind, session, event.line, now);
      }
    }
  }

  #announce(session: AgentSession, event: SessionEvent, now: Instant): void {
    if (event.kind === 'failed' || event.kind === 'hung') {
      // While connecting all causes are told together, at its end.
      if (this.#phase.name(now.ms) !== 'connecting') this.outbox.notice('error', event.line);
    } else if (event.kind === 'disconnected') {
      this.outbox.notice('warn', this.#disconnectedLine(session, now));
    } else if (event.kind === 'connected' && event.again) {
      const generation = String(session.link.generation);
      this.outbox.notice('info', `Agent ${session.id} reconnected (stream ${generation})`);
    }
  }

  #disconnectedLine(session: AgentSession, now: Instant): string {
    const stage = this.#phase.stage(now.ms);
    const assignment = this.options.assignments[session.index];
    const operations = session.watch.latestHeartbeat?.operations ?? 0;
    const soFar = stage && { stage: stage.index, elapsedMs: stage.elapsedMs, operations };
    const isOver = this.#phase.judgedAs === 'cleanup' && this.options.mode === 'run';
    const done = isOver ? 1 : assignment ? workDone(assignment, soFar) : 0;
    const elapsed = wholeSeconds(now.ms - (this.#workloadBeganMs ?? this.#pulse.startedAtMs));
    const percent = String(Math.floor(done * 100));
    return `Agent ${session.id} disconnected after ${elapsed} (completed ${percent}% of work)`;
  }

  #decide(event: RunEvent, session: AgentSession | undefined, why: string, now: Instant): void {
    const phase =
      event === 'notStartable' ? (this.#phase.judgedAs ?? 'startup') : this.#phase.judgedAs;
    if (phase === undefined) return;
    const standing = this.#standing();
    const { failurePolicy } = this.plan;
    const verdict = decide(event, phase, standing, failurePolicy);
    this.outbox.record({
      type: 'decision',
      event,
      agent: session?.index,
      verdict: verdict.kind === 'abort' ? `abort (exit ${String(verdict.exitCode)})` : verdict.kind,
    });
    if (verdict.kind !== 'abort') return;
    let reason = why;
    if (verdict.notRepresentative) {
      this.#notRepresentative = true;
      reason = `${policyText(failurePolicy, standing)}: ${why}`;
      this.outbox.notice('error', `${reason} - aborting, results are not representative`);
    }
    this.#abort(verdict.exitCode, reason, now);
  }

  #standing(): Standing {
    const alive = this.sessions.filter(({ state, linkState }) => isAlive(state, linkState));
    return { configured: this.sessions.length, alive: alive.length };
  }

  #interrupt(signal: 'SIGINT' | 'SIGTERM', now: Instant): void {
    const name = signal === 'SIGINT' ? 'Ctrl-C' : signal;
    if (this.#interrupted) {
      if (this.#phase instanceof Aborting) this.#phase.nameUnreached();
      this.#finish();
      return;
    }
    this.#interrupted = true;
    this.outbox.notice('warn', `Received ${name} - aborting all agents`);
    this.outbox.record({
      type: 'decision',
      event: 'interrupt',
      agent: undefined,
      verdict: `abort (exit ${String(exitCodes.interrupted)})`,
    });
    this.#abort(exitCodes.interrupted, `interrupted by ${name}`, now);
  }

  #abort(code: ExitCode, reason: string, now: Instant): void {
    this.#codes.push(code);
    if (this.#reason === undefined || code === exitCodes.interrupted) this.#reason = reason;
    if (this.#phase instanceof Aborting || this.#finished) return;
    const finish = (): void => {
      this.#finish();
    };
    this.enter(new Aborting(this, reason, finish), now);
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    const exitCode = gravest(this.#codes);
    const outcome = outcomeOf(exitCode);
    const reason = this.#reason;
    for (const session of this.sessions) session.close(reason ?? 'the run is over');
    this.outbox.push({
      kind: 'finished',
      outcome,
      exitCode,
      reason: outcome === 'completed' ? undefined : reason,
      notRepresentative: this.#notRepresentative,
    });
  }

  /** Timers fire before what arrived in the meantime is read: time slept is taken out of every judgement. */
  #forgiveOwnSleep(now: Instant): void {
    const lateMs = this.#wakeAtMs === undefined ? 0 : now.ms - this.#wakeAtMs;
    if (lateMs < sleptMs) return;
    for (const session of this.sessions) session.shift(lateMs);
    this.#phase.shift(lateMs);
  }

  #nextWake(): number | undefined {
    const due = [
      this.#pulse.wakeAt(),
      this.#phase.wakeAt(),
      ...this.sessions.map((session) => session.wakeAt()),
    ].filter((ms) => ms !== undefined);
    return due.length > 0 ? Math.min(...due) : undefined;
  }
}
