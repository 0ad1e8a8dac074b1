import type { Instant } from '../../../shared/kernel/clock.js';
import type { AgentSession } from '../agent-session.js';
import type { Barrier } from '../barrier.js';
import { earliest } from '../earliest.js';
import type { SessionEvent } from '../session-events.js';
import type { RunPhase, StageStatus } from '../snapshot.js';
import { StageWatch } from '../stage-watch.js';
import { isLive, type Phase, type RunContext } from './phase.js';

/** From Go until everything of the stage is in: running, draining, collecting. */
export class Running implements Phase {
  readonly judgedAs = 'workload';
  readonly #run: RunContext;
  readonly #index: number;
  readonly #barrier: Barrier;
  readonly #members: readonly AgentSession[];
  readonly #away = new Set<AgentSession>();
  /** When the warm-up is over and second 0 begins. */
  readonly #measuredMs: number;
  #overAtMs: number | undefined;
  #now: number;

  constructor(run: RunContext, stage: number, barrier: Barrier) {
    this.#run = run;
    this.#index = stage;
    this.#barrier = barrier;
    this.#members = run.sessions.filter(({ index }) => barrier.members.includes(index));
    const { durationMs, warmupMs = 0 } = run.plan.stages[stage] ?? {};
    this.#measuredMs = barrier.t0.ms + warmupMs;
    this.#overAtMs = durationMs === undefined ? undefined : this.#measuredMs + durationMs;
    this.#now = barrier.t0.ms;
  }

  name(nowMs: number): RunPhase {
    if (nowMs < this.#barrier.t0.ms) return 'arming';
    return this.#overAtMs !== undefined && nowMs >= this.#overAtMs ? 'collecting' : 'running';
  }

  enter(): void {
    const stageName = this.#run.plan.stages[this.#index]?.name ?? '';
    const times = this.#run.plan.timeouts;
    const t0Ms = this.#barrier.t0.ms;
    const measuredMs = this.#measuredMs;
    const plannedEndMs = this.#overAtMs;
    for (const session of this.#run.sessions) session.lookout.watch = undefined;
    for (const session of this.#members) {
      const agent = session.id;
      const instants = { t0Ms, measuredMs, plannedEndMs };
      session.lookout.watch = new StageWatch({ agent, stageName, times, ...instants });
    }
  }

  on(session: AgentSession, event: SessionEvent, now: Instant): void {
    switch (event.kind) {
      case 'missed':
        if (event.stage === this.#index) {
          this.#barrier.missed(session.index, event.epoch, event.reason);
        }
        return;
      case 'running':
        if (event.stage === this.#index) this.#barrier.ran(session.index);
        return;
      case 'result':
        if (event.stage === this.#index) this.#result(session, now);
        return;
      case 'failed':
      case 'hung':
        this.#barrier.leave(session.index);
        return;
      case 'away':
        this.#away.add(session);
        return;
      case 'connected':
        this.#away.delete(session);
        session.delivery(this.#index).resumed(now.ms);
        return;
      default:
    }
  }

  poll(now: Instant): void {
    this.#now = now.ms;
    for (const agent of this.#barrier.leftBehind()) this.#leaveBehind(agent);
    if (this.#barrier.members.length > 0 && this.#barrier.attemptFailed(now)) {
      const barrier = this.#barrier;
      this.#run.reached({ kind: 'missed', stage: this.#index, barrier }, now);
      return;
    }
    if (this.name(now.ms) === 'running') this.#divide();
    if (!this.#members.every((session) => this.#isResolved(session, now.ms))) return;
    this.#run.outbox.record({ type: 'stageEnd', stage: this.#index });
    this.#run.reached({ kind: 'stageDone', stage: this.#index }, now);
  }

  wakeAt(): number | undefined {
    let due = earliest(this.#ahead(this.#barrier.t0.ms), this.#ahead(this.#overAtMs));
    for (const session of this.#members) {
      const delivery = session.delivery(this.#index);
      due = earliest(due, this.#ahead(delivery.settlesAtMs()));
      due = earliest(due, this.#ahead(delivery.oldAtMs()));
      due = earliest(due, this.#ahead(session.ending.lastWordsUntilMs(this.#now)));
    }
    return due;
  }

  /** T0 and the planned end are instants; the watches over silence are shifted with the sessions. */
  shift(ms: number): void {
    for (const session of this.#members) session.delivery(this.#index).shift(ms);
  }

  stage(nowMs: number): StageStatus | undefined {
    const stage = this.#run.plan.stages[this.#index];
    if (!stage) return undefined;
    const elapsedMs = nowMs - this.#measuredMs;
    const { name, warmupMs, durationMs, maxOperations, maxBytes } = stage;
    const limits = { durationMs, maxOperations, maxBytes };
    return { index: this.#index, name, elapsedMs, warmupMs, ...limits };
  }

  /** Those lost for good leave their parts of the rate to the others. */
  #divide(): void {
    if (this.#run.plan.stages[this.#index]?.rate === undefined) return;
    const loading = this.#members.filter(({ state }) => state !== 'FAILED' && state !== 'ABORTED');
    this.#run.division.among(
      this.#index,
      loading.map(({ index }) => index),
    );
  }

  #ahead(atMs: number | undefined): number | undefined {
    return atMs !== undefined && atMs > this.#now ? atMs : undefined;
  }

  get #isLast(): boolean {
    return this.#index === this.#run.plan.stages.length - 1;
  }

  /** Without a duration the first agent that is done shows that the others should be about to be. */
  #result(session: AgentSession, now: Instant): void {
    this.#barrier.ran(session.index);
    session.lookout.watch = undefined;
    if (this.#overAtMs !== undefined) return;
    this.#overAtMs = now.ms;
    for (const member of this.#members) member.lookout.stage?.over(now.ms);
  }

  /** Nothing more is to be waited for from this agent in this stage. */
  #isResolved(session: AgentSession, nowMs: number): boolean {
    if (session.ending.lastWordsUntilMs(nowMs) !== undefined) return false;
    if (!isLive(session) || this.#away.has(session)) return true;
    const delivery = session.delivery(this.#index);
    if (!delivery.isSettled(nowMs)) return false;
    return (
      !this.#isLast || session.ending.hasSpokenLast || nowMs >= (delivery.oldAtMs() ?? Infinity)
    );
  }

  #leaveBehind(agent: number): void {
    const session = this.#run.sessions[agent];
    if (!session) return;
    this.#barrier.leave(agent);
    session.ending.giveUp(
      'lost',
      `Agent ${session.id} missed the start of its stage and is left out`,
    );
  }
}
