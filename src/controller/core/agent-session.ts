import type { Instant } from '../../shared/kernel/clock.js';
import type { HeldRange, HelloReply, Progress } from '../../shared/model/messages.js';
import type { AgentPlan, Plan } from '../../shared/model/plan.js';
import { ClockProbes } from './clock-probes.js';
import { Contact } from './contact.js';
import { tenthSeconds, wholeSeconds } from './duration-text.js';
import { isSilence, LinkKeeper } from './link-keeper.js';
import type { Outbox } from './outbox.js';
import type { ClockEstimate, LinkState, SessionState } from './records.js';
import type { DialFailure, WelcomeMessage } from './run-io.js';
import type { FailureReason, SessionEvent } from './session-events.js';
import { SessionStateKeeper } from './session-state.js';
import { StageDelivery } from './stage-delivery.js';
import { silentAfterMs, StageWatch } from './stage-watch.js';
import type { Heard, Watch } from './watch.js';
import { WorkWatch, type WorkOptions } from './work-watch.js';

export interface SessionContext {
  readonly plan: Plan;
  readonly agent: AgentPlan;
  readonly random: () => number;
  readonly outbox: Outbox;
  readonly emit: (event: SessionEvent) => void;
}

export interface DialAnswer {
  readonly generation: number;
  readonly code: DialFailure;
  readonly message: string;
  readonly instanceId?: string;
}

const firstBurst = 16;
/** Before each start, and after each reconnect. */
const freshBurst = 8;

/**
 * One agent as the controller sees it: its link, its state in the run, its clock, what it delivered, and the watch over
 * its silence. It decides nothing about the run; it tells what happened. (What its messages mean: session-messages.)
 */
export class AgentSession {
  readonly context: SessionContext;
  readonly index: number;
  readonly id: string;
  readonly link: LinkKeeper;
  readonly probes = new ClockProbes();
  readonly contact = new Contact();
  readonly states: SessionStateKeeper;
  readonly #deliveries = new Map<number, StageDelivery>();
  #watch: Watch | undefined;
  #instanceId: string | undefined;
  #failure: string | undefined;
  /** The stage it is ready for. */
  readyStage: number | undefined;
  marked = false;
  cleaned = false;
  latestProgress: Progress | undefined;
  /** Bound of the clock estimate that its last Start was made with. */
  startBoundNs = 0;
  /** Its Final has come, or it is FAILED: nothing more will come of it. */
  hasSpokenLast = false;

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

  /** The watch over a stage that runs. */
  get stageWatch(): StageWatch | undefined {
    return this.#watch instanceof StageWatch ? this.#watch : undefined;
  }

  get workWatch(): WorkWatch | undefined {
    return this.#watch instanceof WorkWatch ? this.#watch : undefined;
  }

  get runnerIsSilent(): boolean {
    return (this.contact.heartbeat?.runnerSilenceNs ?? 0) / 1e6 > silentAfterMs;
  }

  /** Undefined: its silence does not matter now. */
  watchWith(watch: Watch | undefined): void {
    this.#watch = watch;
  }

  watchWork(options: Omit<WorkOptions, 'agent'>, now: Instant): void {
    this.#watch = new WorkWatch({ ...options, agent: this.id }, now.ms);
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
    this.contact.connected(now.ms);
    this.stageWatch?.returned();
    this.probes.reset();
    this.probes.startBurst(again ? freshBurst : firstBurst, true, now.ms);
    if (!again) this.#registered(hello, welcome);
    this.context.emit({ kind: 'connected', again });
  }

  dialFailed({ generation, code, message, instanceId }: DialAnswer, now: Instant): void {
    if (this.link.dialFailed(generation, code, message, now.ms) !== 'final') return;
    if (generation > 1) {
      this.fail('lost', `Agent ${this.id} is lost: ${message}`);
      return;
    }
    this.#instanceId = instanceId;
    const within = wholeSeconds(this.context.plan.timeouts.connectMs);
    const what = isSilence(code) ? ` unreachable after ${within}` : '';
    this.fail('lost', `Agent ${this.context.agent.address}${what}: ${message}`);
  }

  linkLost(generation: number, cause: string, now: Instant): void {
    if (this.link.lost(generation, cause, now.ms)) this.#disconnected();
  }

  /** Something came on that generation's stream; false: it is not the present one. */
  heard(generation: number, now: Instant): boolean {
    if (generation !== this.link.generation || !this.link.isOpen) return false;
    const silentMs = this.contact.heard(now.ms);
    if (this.link.heard()) {
      const line = `Agent ${this.id} speaks again after ${wholeSeconds(silentMs)}`;
      this.context.outbox.notice('warn', line);
      this.stageWatch?.stats(now.ms);
      this.context.emit({ kind: 'back' });
    }
    return true;
  }

  /** Who answers on a fresh connection while the stream is silent? */
  helloAnswered(hello: HelloReply | undefined, now: Instant): void {
    if (!hello || !this.link.isOpen || !this.contact.isSilent(now.ms)) return;
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

  clockKnown(clock: ClockEstimate): void {
    this.context.outbox.record({ type: 'clock', agent: this.index, clock });
  }

  /** A round trip or the age of a message. */
  latency(ms: number): void {
    if (!this.contact.measured(ms)) return;
    const line = `WARNING: Agent ${this.id} message latency: ${tenthSeconds(ms)} (network issue?)`;
    this.context.outbox.notice('warn', line);
  }

  fail(reason: FailureReason, line: string): void {
    if (this.#failure !== undefined || !this.states.move('FAILED', line)) return;
    this.#failure = line;
    this.hasSpokenLast = true;
    this.context.emit({ kind: 'failed', reason, line });
  }

  close(reason: string): void {
    if (this.link.isOpen) this.context.outbox.send(this.index, { kind: 'goodbye', reason });
    this.link.close(reason);
    this.probes.reset();
  }

  tick(now: Instant): void {
    if (this.linkState === 'CLOSED') return;
    if (this.#failure === undefined && this.link.windowOver(now.ms)) {
      this.fail('lost', `Agent ${this.id} did not come back: ${this.link.lastCause}`);
    }
    if (this.#failure === undefined) this.link.tick(now.ms);
    if (this.link.isOpen) this.#probe(now);
    if (this.#isBeyondJudging) return;
    if (this.link.isOpen && this.contact.helloIsDue(now.ms)) {
      this.context.outbox.push({ kind: 'helloProbe', agent: this.index });
    }
    this.#check(now);
  }

  wakeAt(): number | undefined {
    if (this.linkState === 'CLOSED') return undefined;
    const due: (number | undefined)[] = [];
    if (this.link.isOpen) due.push(this.probes.wakeAt());
    if (this.#failure === undefined) due.push(this.link.wakeAt());
    if (!this.#isBeyondJudging) {
      due.push(this.#watch?.wakeAt(this.#heard(0)));
      if (this.link.isOpen) due.push(this.contact.helloDueMs);
    }
    const known = due.filter((ms) => ms !== undefined);
    return known.length > 0 ? Math.min(...known) : undefined;
  }

  shift(ms: number): void {
    this.link.shift(ms);
    this.contact.shift(ms);
    this.#watch?.shift(ms);
  }

  get #isBeyondJudging(): boolean {
    const { linkState } = this;
    return this.#failure !== undefined || linkState === 'CONNECTING' || linkState === 'HUNG';
  }

  #check(now: Instant): void {
    const verdict = this.#watch?.check(this.#heard(now.ms));
    if (!verdict) return;
    const { outbox, emit } = this.context;
    switch (verdict.kind) {
      case 'warn':
        outbox.notice('warn', verdict.line);
        return;
      case 'ping':
        if (verdict.line !== undefined) outbox.notice('warn', verdict.line);
        outbox.send(this.index, { kind: 'ping', id: this.contact.ping(now.ms) });
        return;
      case 'hung':
        this.link.markHung(verdict.line);
        emit({ kind: 'hung', line: verdict.line });
        return;
      case 'fail':
        this.fail(verdict.reason, verdict.line);
        return;
      case 'away':
        outbox.notice('warn', verdict.line);
        emit({ kind: 'away' });
        return;
      default:
        verdict satisfies never;
    }
  }

  #heard(nowMs: number): Heard {
    return {
      nowMs,
      heardAtMs: this.contact.heardAtMs,
      connected: this.link.isOpen,
      isWorking: working.has(this.state),
      runnerSilent: this.runnerIsSilent,
    };
  }

  #probe(now: Instant): void {
    const expired = this.probes.expire(now.ms);
    if (expired) {
      this.clockKnown(expired);
      this.context.emit({ kind: 'synchronised' });
    }
    for (const id of this.probes.due(now.ms)) {
      this.context.outbox.send(this.index, { kind: 'probe', id, t1Ns: now.ns });
    }
  }

  #registered(hello: HelloReply, welcome: WelcomeMessage): void {
    const { version, instanceId, bootId } = welcome;
    this.#instanceId = instanceId;
    const { hostname } = hello;
    const facts = { version, hostname, instanceId, bootId, host: parsedHost(welcome.host) };
    this.context.outbox.record({ type: 'agent', agent: this.index, facts });
    this.states.move('IDLE', 'connected');
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

const working: ReadonlySet<SessionState> = new Set([
  'PREPARING',
  'RUNNING',
  'DRAINING',
  'CLEANING',
]);

/** Facts are shown, never acted on: what is not JSON is kept as the text it is. */
function parsedHost(host: string): unknown {
  try {
    return JSON.parse(host);
  } catch {
    return host;
  }
}
