import type { Instant } from '../../shared/kernel/clock.js';
import type { HeldRange, Progress } from '../../shared/model/messages.js';
import type { AgentPlan, Plan } from '../../shared/model/plan.js';
import { burstPatienceMs, ClockProbes } from './clock-probes.js';
import { earliest } from './earliest.js';
import { tenthSeconds, wholeSeconds } from './duration-text.js';
import { LinkKeeper } from './link-keeper.js';
import { Lookout, type Outlook } from './lookout.js';
import { makesDataset } from './makes-dataset.js';
import type { Outbox } from './outbox.js';
import type { AgentFacts, ClockEstimate, LinkState, SessionState } from './records.js';
import type { RunMode } from './run-io.js';
import type { FailureReason, SessionEvent } from './session-events.js';
import { SessionStateKeeper } from './session-state.js';
import { StageDelivery } from './stage-delivery.js';
import { silentAfterMs } from './stage-watch.js';
import { stopsWithin } from './stops-within.js';
import { hasEnded } from './transitions.js';
import type { Verdict } from './watch.js';

export interface SessionContext {
  readonly plan: Plan;
  readonly mode: RunMode;
  readonly agent: AgentPlan;
  readonly random: () => number;
  readonly outbox: Outbox;
  readonly emit: (event: SessionEvent) => void;
}

/** How long the result and the Final of an agent that reported an error may take to follow it. */
const lastWordsMs = 2000;
/** Bursts of clock probes in a row of which none may go unanswered. */
const mostUnanswered = 3;

const working: ReadonlySet<SessionState> = new Set([
  'PREPARING',
  'RUNNING',
  'DRAINING',
  'CLEANING',
]);

/**
 * One agent as the controller sees it: its link, its state in the run, its clock, what it delivered, and the lookout for
 * its silence. It decides nothing about the run; it tells what happened. What comes in is dealt with in session-messages
 * and session-link-events.
 */
export class AgentSession {
  readonly context: SessionContext;
  readonly index: number;
  readonly id: string;
  readonly link: LinkKeeper;
  readonly lookout = new Lookout();
  readonly probes = new ClockProbes();
  readonly states: SessionStateKeeper;
  readonly #deliveries = new Map<number, StageDelivery>();
  #failure: string | undefined;
  #lastWordsUntilMs = 0;
  #unansweredBursts = 0;
  #aborted = false;
  #fetched = false;
  #makesDataset = false;
  instanceId: string | undefined;
  #facts: AgentFacts | undefined;
  /** The stage it is ready for. */
  readyStage: number | undefined;
  /** The later stage it was told to get ready for, leaving out what went on without it. */
  askedStage: number | undefined;
  marked = false;
  cleaned = false;
  /** Its Final has come. */
  hasSpokenLast = false;
  latestProgress: Progress | undefined;
  /** Bound of the clock estimate that its last Start was made with. */
  startBoundNs = 0;

  constructor(context: SessionContext) {
    this.context = context;
    this.index = context.agent.index;
    this.id = context.agent.id;
    this.states = new SessionStateKeeper(this.index, context.outbox);
    this.link = new LinkKeeper({
      agent: this.index,
      reconnectWindowMs: context.plan.timeouts.reconnectWindowMs,
      random: context.random,
      outbox: context.outbox,
      held: () => this.#held(),
    });
  }

  get state(): SessionState {
    return this.states.state;
  }

  get linkState(): LinkState {
    return this.link.state;
  }

  get clock(): ClockEstimate | undefined {
    return this.probes.current;
  }

  /** Why it is FAILED. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Whether it has come so far in the run that it can speak of this stage. */
  hasReached(stage: number): boolean {
    return this.readyStage !== undefined && stage <= this.readyStage;
  }

  delivery(stage: number): StageDelivery {
    let delivery = this.#deliveries.get(stage);
    if (!delivery) {
      delivery = new StageDelivery();
      this.#deliveries.set(stage, delivery);
    }
    return delivery;
  }

  /** Something came on that generation's stream; false: it is not the present one. */
  heard(generation: number, now: Instant): boolean {
    if (generation !== this.link.generation || !this.link.isOpen) return false;
    const silentMs = this.lookout.contact.heard(now.ms);
    if (silentMs >= silentAfterMs) this.lookout.heardAgain(now.ms);
    if (this.link.heard(silentMs)) {
      const line = `Agent ${this.id} speaks again after ${wholeSeconds(silentMs)}`;
      this.context.outbox.notice('warn', line);
      this.lookout.stage?.stats(now.ms);
      this.context.emit({ kind: 'back' });
    }
    return true;
  }

  /** Nothing it says shows that it hears us, or it says nothing at all: an answer on the side means a dead stream. */
  isDoubtful(nowMs: number): boolean {
    return this.#unansweredBursts > 0 || this.lookout.contact.isSilent(nowMs);
  }

  clockKnown(clock: ClockEstimate): void {
    this.#unansweredBursts = 0;
    this.context.outbox.record({ type: 'clock', agent: this.index, clock });
  }

  /** A round trip or the age of a message. */
  latency(ms: number): void {
    const delays = this.link.measured(ms);
    if (delays !== undefined) {
      const range = `${String(delays.firstMs)} ms to ${String(delays.capMs)} ms`;
      const line = `Agent ${this.id}: messages take ${String(Math.round(ms))} ms; reconnect delays are now ${range}`;
      this.context.outbox.notice('debug', line);
    }
    if (!this.lookout.contact.measured(ms)) return;
    const line = `WARNING: Agent ${this.id} message latency: ${tenthSeconds(ms)} (network issue?)`;
    this.context.outbox.notice('warn', line);
  }

  fail(reason: FailureReason, line: string): void {
    if (this.#failure !== undefined || !this.states.move('FAILED', line)) return;
    this.#failure = line;
    this.context.emit({ kind: 'failed', reason, line });
  }

  /** It was told to stop. */
  get isAborted(): boolean {
    return this.#aborted;
  }

  /** Tells it to stop, once. Reliable: the link keeps it for an agent that has no stream now. */
  abort(reason: string): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.context.outbox.send(this.index, { kind: 'abort', reason });
  }

  /** Failed in our judgement: it may not know, and is told to stop. */
  giveUp(reason: FailureReason, line: string): void {
    this.fail(reason, line);
    this.abort(line);
  }

  /** The agent reported its own failure: what it measured and its Final follow in a slower lane. */
  failedByItself(reason: FailureReason, line: string, nowMs: number): void {
    this.#lastWordsUntilMs = nowMs + lastWordsMs;
    this.fail(reason, line);
  }

  /** It was restarted: what its former process kept on its disk is worth having. Asked for once. */
  fetchKept(): void {
    if (this.instanceId === undefined || this.#fetched) return;
    this.#fetched = true;
    this.context.outbox.push({ kind: 'fetch', agent: this.index, instanceId: this.instanceId });
  }

  /** It was told to make its part of the dataset, and has neither refused nor removed it. */
  get hasDataset(): boolean {
    return this.#makesDataset && !this.cleaned;
  }

  toldToPrepare(): void {
    this.#makesDataset = makesDataset(this.context.plan, this.context.agent);
    this.states.move('PREPARING', 'told to prepare');
  }

  /** It reported an error of a kind that comes before anything is made, if nothing was heard of its making. */
  refusedToPrepare(): void {
    if (this.readyStage === undefined && !this.latestProgress) this.#makesDataset = false;
  }

  /** It worked, and its last words are missing. */
  get isOwing(): boolean {
    return this.readyStage !== undefined && !this.hasSpokenLast && this.state !== 'COMPLETED';
  }

  /** It cannot be reached any more. Who has ended has lost nothing by that. */
  gone(reason: FailureReason, line: string): void {
    if (hasEnded(this.state)) {
      this.context.outbox.notice('warn', line);
      this.link.close(line);
    } else this.fail(reason, line);
  }

  /** Until when a FAILED agent's last words are worth waiting for; undefined: they are here, or will not come. */
  lastWordsUntilMs(nowMs: number): number | undefined {
    const isWaiting = this.link.isOpen && !this.hasSpokenLast && nowMs < this.#lastWordsUntilMs;
    return isWaiting ? this.#lastWordsUntilMs : undefined;
  }

  /** The run ends without its confirmation: its dead man's switch ends its load, if it has not yet. */
  notReached(nowMs: number): void {
    // A process that was restarted has no load any more.
    if (this.#fetched) return;
    const { lookout, link, context } = this;
    const silentMs = nowMs - lookout.contact.heardAtMs;
    const lostForMs = link.lostAtMs === undefined ? undefined : nowMs - link.lostAtMs;
    const when = stopsWithin({ silentMs, lostForMs }, context.plan.timeouts);
    if (when === undefined) return;
    context.outbox.notice('warn', `${this.id} not reached; it stops by itself within ${when}`);
  }

  close(reason: string): void {
    if (this.link.isOpen) this.context.outbox.send(this.index, { kind: 'goodbye', reason });
    this.link.close(reason);
    this.probes.reset();
  }

  tick(now: Instant): void {
    if (this.linkState === 'CLOSED') return;
    if (this.#failure === undefined) {
      if (this.link.windowOver(now.ms)) {
        this.gone('lost', `Agent ${this.id} did not come back: ${this.link.lastCause}`);
      } else this.link.tick(now.ms);
    }
    if (this.link.isOpen) this.#probe(now);
    if (this.#isBeyondJudging) return;
    if (this.link.isOpen && this.lookout.contact.helloIsDue(now.ms)) {
      this.context.outbox.push({ kind: 'helloProbe', agent: this.index });
    }
    const verdict = this.lookout.check(this.#outlook(now.ms));
    if (verdict) this.#follow(verdict, now);
  }

  wakeAt(): number | undefined {
    if (this.linkState === 'CLOSED') return undefined;
    let due = this.link.isOpen ? this.probes.wakeAt() : undefined;
    if (this.#failure === undefined) due = earliest(due, this.link.wakeAt());
    // An early wake does no harm, so the instant of now need not be known.
    if (!this.#isBeyondJudging) due = earliest(due, this.lookout.wakeAt(this.#outlook(0)));
    return due;
  }

  /** Who the agent is. */
  known(facts: AgentFacts): void {
    this.#facts = facts;
    this.context.outbox.record({ type: 'agent', agent: this.index, facts });
  }

  /** Where its data lies. */
  targetKnown(target: unknown): void {
    if (this.#facts !== undefined) this.known({ ...this.#facts, target });
  }

  shift(ms: number): void {
    this.link.shift(ms);
    this.lookout.shift(ms);
  }

  get #isBeyondJudging(): boolean {
    const { linkState, state } = this;
    return hasEnded(state) || linkState === 'CONNECTING' || linkState === 'HUNG';
  }

  #outlook(nowMs: number): Outlook {
    return { nowMs, connected: this.link.isOpen, isWorking: working.has(this.state) };
  }

  #follow(verdict: Verdict, now: Instant): void {
    const { outbox, emit } = this.context;
    switch (verdict.kind) {
      case 'warn':
        outbox.notice('warn', verdict.line);
        return;
      case 'ping': {
        if (verdict.line !== undefined) outbox.notice('warn', verdict.line);
        const id = this.lookout.contact.ping(now.ms);
        outbox.send(this.index, { kind: 'ping', id });
        return;
      }
      case 'hung':
        this.link.markHung(verdict.line);
        emit({ kind: 'hung', line: verdict.line });
        return;
      case 'fail':
        this.giveUp(verdict.reason, verdict.line);
        return;
      case 'away':
        outbox.notice('warn', verdict.line);
        emit({ kind: 'away' });
        return;
      default:
        verdict satisfies never;
    }
  }

  #probe(now: Instant): void {
    const expired = this.probes.expire(now.ms);
    if (expired === 'unanswered') this.#unheard(now);
    else if (expired) this.clockKnown(expired);
    if (!this.link.isOpen) return;
    for (const id of this.probes.due(now)) {
      this.context.outbox.send(this.index, { kind: 'probe', id, t1Ns: now.ns });
    }
  }

  /**
   * It may speak and not hear us: a link that is dead in one direction. It is asked on a fresh connection, where an
   * answer gives it a new stream; after three bursts without an answer it is lost.
   */
  #unheard(now: Instant): void {
    // One that says nothing at all is judged by its silence.
    if (this.lookout.contact.isSilent(now.ms)) return;
    this.#unansweredBursts += 1;
    if (this.#unansweredBursts < mostUnanswered) {
      this.context.outbox.push({ kind: 'helloProbe', agent: this.index });
      return;
    }
    const silence = wholeSeconds(mostUnanswered * burstPatienceMs);
    this.gone('lost', `Agent ${this.id} does not hear us (no clock probe answered for ${silence})`);
  }

  #held(): HeldRange[] {
    return [...this.#deliveries].flatMap(([stage, delivery]) =>
      delivery.held.ranges.map(({ first, last }) => ({ stage, first, last })),
    );
  }
}
