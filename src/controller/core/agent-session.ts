import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentMessage, HeldRange, HelloReply } from '../../shared/model/messages.js';
import type { AgentPlan, Plan } from '../../shared/model/plan.js';
import { ClockProbes } from './clock-probes.js';
import { wholeSeconds } from './duration-text.js';
import { isSilence, LinkKeeper } from './link-keeper.js';
import type { Outbox } from './outbox.js';
import type { ClockEstimate, LinkState, SessionState } from './records.js';
import type { DialFailure, WelcomeMessage } from './run-io.js';
import type { FailureReason, SessionEvent } from './session-events.js';
import { receiveMessage } from './session-messages.js';
import { SessionStateKeeper } from './session-state.js';
import { SessionWatch } from './session-watch.js';
import { StageDelivery } from './stage-delivery.js';

export interface SessionContext {
  readonly plan: Plan;
  readonly agent: AgentPlan;
  readonly random: () => number;
  readonly outbox: Outbox;
  readonly emit: (event: SessionEvent) => void;
}

const firstBurst = 16;
/** Before each start, and after each reconnect. */
const freshBurst = 8;

/**
 * One agent as the controller sees it: its link, its state in the run, its clock, what it delivered, and the watches
 * over its silence. It decides nothing about the run; it tells what happened.
 */
export class AgentSession {
  readonly context: SessionContext;
  readonly index: number;
  readonly id: string;
  readonly link: LinkKeeper;
  readonly probes = new ClockProbes();
  readonly watch: SessionWatch;
  readonly #keeper: SessionStateKeeper;
  readonly #deliveries = new Map<number, StageDelivery>();
  #instanceId: string | undefined;
  #failure: string | undefined;
  /** The stage it is ready for. */
  readyStage: number | undefined;
  marked = false;
  cleaned = false;
  /** Bound of the clock estimate that its last Start was made with. */
  startBoundNs = 0;
  /** Its Final has come, or it is FAILED: nothing more will come of it. */
  hasSpokenLast = false;

  constructor(context: SessionContext) {
    this.context = context;
    this.index = context.agent.index;
    this.id = context.agent.id;
    this.#keeper = new SessionStateKeeper(this.index, context.outbox);
    this.link = new LinkKeeper({
      agent: this.index,
      reconnectWindowMs: context.plan.timeouts.reconnectWindowMs,
      random: context.random,
      outbox: context.outbox,
      held: () => this.#held(),
    });
    this.watch = new SessionWatch(this);
  }

  get state(): SessionState {
    return this.#keeper.state;
  }

  get linkState(): LinkState {
    return this.link.state;
  }

  get states(): SessionStateKeeper {
    return this.#keeper;
  }

  get instanceId(): string | undefined {
    return this.#instanceId;
  }

  get clock(): ClockEstimate | undefined {
    return this.probes.current;
  }

  /** Why it is FAILED. */
  get failure(): string | undefined {
    return this.#failure;
  }

  delivery(stage: number): StageDelivery {
    let delivery = this.#deliveries.get(stage);
    if (!delivery) {
      delivery = new StageDelivery();
      this.#deliveries.set(stage, delivery);
    }
    return delivery;
  }

  dialed(generation: number, hello: HelloReply, welcome: WelcomeMessage, now: Instant): void {
    const again = generation > 1;
    if (!this.link.dialed(generation)) return;
    if (again && (welcome.instanceId !== this.#instanceId || !welcome.resumed)) {
      this.fail('crashed', `Agent ${this.id} was restarted: its part of the run is lost`);
      return;
    }
    this.#instanceId = welcome.instanceId;
    this.watch.connected(now.ms);
    this.probes.reset();
    this.probes.startBurst(again ? freshBurst : firstBurst, true, now.ms);
    if (!again) {
      const { version, bootId, host } = welcome;
      const facts = { version, hostname: hello.hostname, instanceId: welcome.instanceId, bootId };
      this.context.outbox.record({
        type: 'agent',
        agent: this.index,
        facts: { ...facts, host: parsedHost(host) },
      });
      this.#keeper.move('IDLE', 'connected');
    }
    this.context.emit({ kind: 'connected', again });
  }

  dialFailed(
    failure: { generation: number; code: DialFailure; message: string; instanceId?: string },
    now: Instant,
  ): void {
    const { generation, code, message } = failure;
    const outcome = this.link.dialFailed(generation, code, message, now.ms);
    if (outcome !== 'final') return;
    if (generation > 1) {
      this.fail('lost', `Agent ${this.id} is lost: ${message}`);
      return;
    }
    this.#instanceId = failure.instanceId;
    const { address } = this.context.agent;
    const within = wholeSeconds(this.context.plan.timeouts.connectMs);
    const line = isSilence(code)
      ? `Agent ${address} unreachable after ${within}: ${message}`
      : `Agent ${address}: ${message}`;
    this.fail('lost', line);
  }

  linkLost(generation: number, cause: string, now: Instant): void {
    if (!this.link.lost(generation, cause, now.ms)) return;
    this.#disconnected();
  }

  receive(generation: number, message: AgentMessage, receivedNs: bigint, now: Instant): void {
    if (!this.#isCurrent(generation)) return;
    this.watch.heard(now.ms);
    receiveMessage(this, message, receivedNs, now);
  }

  /** A frame came that could not be used: it proves life all the same. */
  receivedInvalid(generation: number, sequence: bigint, reason: string, now: Instant): void {
    if (!this.#isCurrent(generation)) return;
    this.watch.heard(now.ms);
    const what = `ignoring invalid message (sequence ${String(sequence)}): ${reason}`;
    this.context.outbox.notice('warn', `Agent ${this.id}: ${what}`);
  }

  /** Who answers on a fresh connection while the stream is silent? */
  helloAnswered(hello: HelloReply | undefined, now: Instant): void {
    if (!hello || !this.watch.helloAnswered(now.ms)) return;
    if (hello.instanceId !== this.#instanceId) {
      this.fail('crashed', `Agent ${this.id} was restarted: its part of the run is lost`);
      return;
    }
    this.link.replaceDeadStream(now.ms);
    this.#disconnected();
  }

  freshProbes(now: Instant): void {
    this.probes.startBurst(freshBurst, false, now.ms);
  }

  fail(reason: FailureReason, line: string): void {
    if (this.#failure !== undefined || !this.#keeper.move('FAILED', line)) return;
    this.#failure = line;
    this.hasSpokenLast = true;
    this.context.emit({ kind: 'failed', reason, line });
  }

  markHung(line: string): void {
    this.link.markHung(line);
    this.context.emit({ kind: 'hung', line });
  }

  close(reason: string): void {
    if (this.link.isOpen) this.context.outbox.send(this.index, { kind: 'goodbye', reason });
    this.link.close(reason);
    this.probes.reset();
  }

  tick(now: Instant): void {
    if (this.link.state === 'CLOSED') return;
    if (this.#failure === undefined && this.link.windowOver(now.ms)) {
      this.fail('lost', `Agent ${this.id} did not come back: ${this.link.lastCause}`);
    }
    if (this.#failure === undefined) this.link.tick(now.ms);
    this.#probe(now);
    this.watch.check(now);
  }

  wakeAt(): number | undefined {
    if (this.link.state === 'CLOSED') return undefined;
    const due = [this.watch.wakeAt()];
    if (this.#failure === undefined) due.push(this.link.wakeAt());
    if (this.link.isOpen) due.push(this.probes.wakeAt());
    const known = due.filter((ms) => ms !== undefined);
    return known.length > 0 ? Math.min(...known) : undefined;
  }

  shift(ms: number): void {
    this.link.shift(ms);
    this.watch.shift(ms);
  }

  clockKnown(clock: ClockEstimate): void {
    this.context.outbox.record({ type: 'clock', agent: this.index, clock });
  }

  #probe(now: Instant): void {
    if (!this.link.isOpen) return;
    const expired = this.probes.expire(now.ms);
    if (expired) {
      this.clockKnown(expired);
      this.context.emit({ kind: 'synchronised' });
    }
    for (const id of this.probes.due(now.ms)) {
      this.context.outbox.send(this.index, { kind: 'probe', id, t1Ns: now.ns });
    }
  }

  #isCurrent(generation: number): boolean {
    return generation === this.link.generation && this.link.isOpen;
  }

  #disconnected(): void {
    this.probes.reset();
    this.context.emit({ kind: 'disconnected' });
    if (this.context.plan.timeouts.reconnectWindowMs === 0) {
      this.fail('lost', `Agent ${this.id} is lost: ${this.link.lastCause}`);
    }
  }

  #held(): HeldRange[] {
    return [...this.#deliveries].flatMap(([stage, delivery]) =>
      delivery.held.ranges.map(({ first, last }) => ({ stage, first, last })),
    );
  }
}

/** Facts are shown, never acted on: what is not JSON is kept as the text it is. */
function parsedHost(host: string): unknown {
  try {
    return JSON.parse(host);
  } catch {
    return host;
  }
}
