import type { Instant } from '../../shared/kernel/clock.js';
import type { HeldRange, Progress } from '../../shared/model/messages.js';
import type { AgentPlan, Plan } from '../../shared/model/plan.js';
import { ClockProbes } from './clock-probes.js';
import { earliest } from './earliest.js';
import { wholeSeconds } from './duration-text.js';
import { Ending } from './ending.js';
import { Hearing } from './hearing.js';
import { LinkKeeper } from './link-keeper.js';
import { Lookout, type Outlook } from './lookout.js';
import { makesDataset } from './makes-dataset.js';
import { MessageDelays } from './message-delays.js';
import type { Outbox } from './outbox.js';
import type { AgentFacts, ClockEstimate, LinkState, SessionState } from './records.js';
import type { RunMode } from './run-io.js';
import type { SessionEvent } from './session-events.js';
import { SessionStateKeeper } from './session-state.js';
import { StageDelivery } from './stage-delivery.js';
import { silentAfterMs } from './stage-watch.js';
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

const working: ReadonlySet<SessionState> = new Set([
  'PREPARING',
  'RUNNING',
  'DRAINING',
  'CLEANING',
]);

/**
 * One agent as the controller sees it: its link, its state in the run, its clock, what it delivered, the lookout for
 * its silence, and its end. It decides nothing about the run; it tells what happened. What comes in is dealt with in
 * session-messages and session-link-events.
 */
export class AgentSession {
  readonly context: SessionContext;
  readonly index: number;
  readonly id: string;
  readonly link: LinkKeeper;
  readonly lookout: Lookout;
  readonly probes = new ClockProbes();
  readonly states: SessionStateKeeper;
  readonly hearing: Hearing;
  readonly delays: MessageDelays;
  readonly ending: Ending;
  readonly #deliveries = new Map<number, StageDelivery>();
  #makesDataset = false;
  instanceId: string | undefined;
  #facts: AgentFacts | undefined;
  /** The stage it is ready for. */
  readyStage: number | undefined;
  /** The later stage it was told to get ready for, leaving out what went on without it. */
  askedStage: number | undefined;
  marked = false;
  cleaned = false;
  /** By its cleanup. */
  removedFiles = 0;
  /** Whether it keeps anything of the run on its host, by its last report; undefined: not known. */
  keepsSpool: boolean | undefined;
  /** Lines of its log that the results have. */
  remarks = 0;
  latestProgress: Progress | undefined;
  /** Bound of the clock estimate that its last Start was made with. */
  startBoundNs = 0;

  constructor(context: SessionContext) {
    const { agent, plan, random, outbox, emit } = context;
    const { timeouts } = plan;
    this.lookout = new Lookout(timeouts);
    this.context = context;
    this.index = agent.index;
    this.id = agent.id;
    this.states = new SessionStateKeeper(agent, outbox);
    this.link = new LinkKeeper({
      agent,
      reconnectWindowMs: timeouts.reconnectWindowMs,
      random,
      outbox,
      held: () => this.#held(),
    });
    const { probes, states, link } = this;
    const { contact } = this.lookout;
    this.hearing = new Hearing({ agent, probes, contact, outbox });
    this.delays = new MessageDelays({ agent, link, contact, outbox });
    this.ending = new Ending({ agent, timeouts, states, link, contact, outbox, emit });
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

  /** Whether it has come so far in the run that it can speak of this stage. */
  hasReached(stage: number): boolean {
    return this.readyStage !== undefined && stage <= this.readyStage;
  }

  delivery(stage: number): StageDelivery {
    let delivery = this.#deliveries.get(stage);
    if (!delivery) {
      delivery = new StageDelivery(this.context.plan.timeouts.collectMs);
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

  /** It has made or found its part of the dataset, and not removed it; of one whose last word is missing nobody knows. */
  get hasDataset(): boolean {
    return this.#makesDataset && !this.cleaned && (this.marked || !this.ending.hasSpokenLast);
  }

  toldToPrepare(): void {
    this.#makesDataset = makesDataset(this.context.plan, this.context.agent);
    this.states.move('PREPARING', 'told to prepare');
  }

  /** It reported an error of a kind that comes before anything is made, if nothing was heard of its making. */
  refusedToPrepare(): void {
    if (this.readyStage === undefined && !this.latestProgress) this.#makesDataset = false;
  }

  /** It worked, its last words are missing, and it may have kept them. */
  get isOwing(): boolean {
    const worked = this.readyStage !== undefined && this.state !== 'COMPLETED';
    return worked && !this.ending.hasSpokenLast && this.keepsSpool !== false;
  }

  /** Totals of it are here, and parts of their time line are still on the way. */
  owesIntervals(nowMs: number): boolean {
    if (!this.link.isOpen) return false;
    return [...this.#deliveries.values()].some(
      (delivery) => delivery.result !== undefined && !delivery.isSettled(nowMs),
    );
  }

  close(reason: string): void {
    if (this.link.isOpen) this.context.outbox.send(this.index, { kind: 'goodbye', reason });
    this.link.close(reason);
    this.probes.reset();
  }

  tick(now: Instant): void {
    if (this.linkState === 'CLOSED') return;
    if (this.ending.failure === undefined) {
      if (this.link.windowOver(now.ms)) {
        this.ending.gone('lost', `Agent ${this.id} did not come back: ${this.link.lastCause}`);
      } else this.link.tick(now.ms);
    }
    if (this.link.isOpen) this.#probe(now);
    if (this.#isAskedAfter && this.lookout.contact.helloIsDue(now.ms)) {
      this.context.outbox.push({ kind: 'helloProbe', agent: this.index });
    }
    if (this.#isBeyondJudging) return;
    const verdict = this.lookout.check(this.#outlook(now.ms));
    if (verdict) this.#follow(verdict, now);
  }

  wakeAt(): number | undefined {
    if (this.linkState === 'CLOSED') return undefined;
    let due = this.link.isOpen ? this.probes.wakeAt() : undefined;
    if (this.ending.failure === undefined) due = earliest(due, this.link.wakeAt());
    if (this.#isAskedAfter) due = earliest(due, this.lookout.contact.helloDueMs);
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

  /** The controller slept for `ms` until now: that was no silence of the agent, and no delay of the network. */
  shift(ms: number, nowMs: number): void {
    this.delays.slept(nowMs);
    this.link.shift(ms);
    this.lookout.shift(ms);
  }

  /** Also when it is hung: its stream may be what is dead, and TCP finds that out late after an outage. */
  get #isAskedAfter(): boolean {
    return this.link.isOpen && !hasEnded(this.state);
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
        this.ending.giveUp(verdict.reason, verdict.line);
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
    const deaf = this.hearing.check(now.ms);
    if (deaf !== undefined) this.ending.gone('lost', deaf);
    if (this.link.isOpen) this.hearing.ask(now);
  }

  #held(): HeldRange[] {
    return [...this.#deliveries].flatMap(([stage, delivery]) =>
      delivery.held.ranges.map(({ first, last }) => ({ stage, first, last })),
    );
  }
}
