import { stageName } from '../../../shared/model/stage-name.js';
import type { Instant } from '../../../shared/kernel/clock.js';
import type { AgentSession } from '../agent-session.js';
import { Barrier } from '../barrier.js';
import { earliest } from '../earliest.js';
import { enumerated, oneSentence } from '../one-sentence.js';
import type { SessionEvent } from '../session-events.js';
import type { StageStatus } from '../snapshot.js';
import { VainWait } from '../vain-wait.js';
import { WorkWatch } from '../work-watch.js';
import { isLive, type Phase, type RunContext } from './phase.js';
import { Rejoining } from './rejoining.js';
import { counted } from '../../../shared/kernel/counted.js';

/** A clock estimate older than this is made again before a start: at 100 ppm it is off by half a millisecond. */
const freshMs = 5000;
const mostProbes = 4;

/** Epochs one stage may use in all, however often links break while its agents are being armed. */
const epochLimit = 20;

/** From "all ready" to "all told to go": fresh clock probes, then the two-phase start. */
export class Starting implements Phase {
  readonly judgedAs = 'workload';
  readonly #run: RunContext;
  readonly #stage: number;
  readonly #rejoining: Rejoining;
  readonly #vainWait = new VainWait();
  #barrier: Barrier | undefined;
  #nextEpoch = 1;
  /** Bursts made for this start. */
  #probes = 0;

  /** `barrier`: of an attempt that everybody missed; it is continued. */
  constructor(run: RunContext, stage: number, barrier?: Barrier) {
    this.#run = run;
    this.#stage = stage;
    this.#rejoining = new Rejoining(run, stage);
    this.#barrier = barrier;
  }

  name(): 'arming' {
    return 'arming';
  }

  enter(now: Instant): void {
    const { collectMs, prepareIoStallMs } = this.#run.plan.timeouts;
    for (const session of this.#run.sessions) {
      session.lookout.watch = new WorkWatch(
        {
          agent: session.id,
          doing: 'start',
          silenceMs: collectMs,
          silent: 'hung',
          stallMs: prepareIoStallMs,
        },
        now.ms,
      );
    }
  }

  on(session: AgentSession, event: SessionEvent, now: Instant): void {
    switch (event.kind) {
      case 'ready':
        this.#rejoining.reacted(session);
        return;
      case 'armed':
        if (event.stage === this.#stage) this.#barrier?.armed(session.index, event.epoch);
        return;
      case 'missed':
        this.#rejoining.reacted(session);
        if (event.stage !== this.#stage) return;
        this.#barrier?.missed(session.index, event.epoch, event.reason);
        return;
      case 'failed':
      case 'hung':
        this.#barrier?.leave(session.index);
        return;
      case 'disconnected':
        if (this.#barrier?.members.includes(session.index)) this.#startOver();
        return;
      case 'back':
      case 'connected':
        this.#rejoining.isBack(session, now.ms);
        // Whoever is back takes part, if it can still be ready.
        if (this.#barrier && this.#rejoining.expects(session)) this.#startOver();
        return;
      default:
    }
  }

  poll(now: Instant): void {
    if (!this.#barrier) this.#gather(now);
    const barrier = this.#barrier;
    if (!barrier) return;
    if (barrier.members.length === 0) {
      this.#startOver();
      return;
    }
    if (barrier.release(now)) this.#go(barrier, now);
    else if (barrier.attemptFailed(now)) this.#again(barrier, now);
  }

  wakeAt(): number | undefined {
    if (this.#barrier) return this.#barrier.wakeAt();
    return earliest(this.#rejoining.wakeAt(), this.#vainWait.wakeAt());
  }

  shift(ms: number): void {
    // T0 is an instant, not a deadline on others: a controller that slept through it has missed it.
    this.#rejoining.shift(ms);
    this.#vainWait.shift(ms);
  }

  stage(nowMs: number): StageStatus | undefined {
    const plan = this.#run.plan.stages[this.#stage];
    if (!plan) return undefined;
    const { name, warmupMs, durationMs } = plan;
    const waitedMs = this.#barrier ? Math.min(0, nowMs - this.#barrier.t0.ms) : 0;
    return { index: this.#stage, name, elapsedMs: waitedMs - warmupMs, warmupMs, durationMs };
  }

  /** Waits until all who live are ready, then for fresh clocks, then arms. */
  #gather(now: Instant): void {
    this.#rejoining.poll(now.ms);
    const live = this.#run.sessions.filter(isLive);
    const starters = live.filter(({ readyStage }) => readyStage === this.#stage);
    const expected = live.filter((session) => this.#rejoining.expects(session));
    const allReady = expected.every(
      (session) => session.readyStage === this.#stage && session.link.isOpen,
    );
    if (!allReady) {
      this.#probes = 0;
      this.#endVainWait(
        expected.filter(({ readyStage }) => readyStage !== this.#stage),
        now.ms,
      );
      return;
    }
    if (starters.length === 0) {
      this.#run.notStartable(`No agent can take part in stage ${this.#stageName}`, now);
      return;
    }
    if (starters.some(({ probes }) => probes.inBurst)) return;
    if (this.#needsProbes(starters, now)) {
      this.#probes += 1;
      for (const session of starters) session.probes.startBurst('fresh', now.ms);
      return;
    }
    const clocked = starters.flatMap(({ index, clock, probes }) => {
      if (!clock) return [];
      const { offsetNs, roundTripNs } = clock;
      return [{ agent: index, offsetNs, roundTripNs, longestProbeMs: probes.longestMs }];
    });
    this.#barrier = new Barrier(clocked, this.#nextEpoch, now);
    this.#arm(this.#barrier, now);
  }

  #endVainWait(notReady: readonly AgentSession[], nowMs: number): void {
    const lost = this.#vainWait.look(notReady, this.#run.sessions, nowMs);
    if (lost.length === 0) return;
    const whose = enumerated(lost.map(({ id }) => id));
    for (const session of notReady) {
      const line = `Agent ${session.id} cannot start stage ${this.#stageName}: it waits for files of the dataset that ${whose} did not finish`;
      session.ending.giveUp('error', line);
    }
  }

  /** Every start has its own probes; they are repeated where a slow one has made the others' estimates old. */
  #needsProbes(starters: readonly AgentSession[], now: Instant): boolean {
    if (this.#probes === 0 || starters.some(({ clock }) => clock === undefined)) return true;
    const isStale = starters.some(({ probes }) => probes.ageMs(now.ms) > freshMs);
    return isStale && this.#probes < mostProbes;
  }

  #arm(barrier: Barrier, now: Instant): void {
    this.#run.division.among(this.#stage, barrier.members);
    for (const order of barrier.arm(now)) {
      const { epoch, atNs } = order;
      const session = this.#run.sessions[order.agent];
      if (session?.clock) session.startBoundNs = session.clock.boundNs;
      this.#run.outbox.send(order.agent, { kind: 'start', stage: this.#stage, epoch, atNs });
    }
    this.#nextEpoch = barrier.epoch + 1;
  }

  #go(barrier: Barrier, now: Instant): void {
    const agents = barrier.members;
    const { epoch } = barrier;
    for (const agent of agents) {
      this.#run.outbox.send(agent, { kind: 'go', stage: this.#stage, epoch });
    }
    const t0Ns = barrier.t0.ns;
    const leadMs = barrier.t0.ms - now.ms;
    const type = 'stageStart';
    this.#run.outbox.record({ type, stage: this.#stage, epoch, t0Ns, leadMs, agents });
    this.#run.reached({ kind: 'released', stage: this.#stage, barrier }, now);
  }

  #again(barrier: Barrier, now: Instant): void {
    const culprits = barrier.culprits();
    const causes = oneSentence([...culprits].map(([agent, why]) => `${this.#idOf(agent)}: ${why}`));
    if (barrier.triesLeft && barrier.epoch < epochLimit) {
      const line = `Start of stage ${this.#stageName} failed (${causes}), trying again with a longer lead`;
      this.#run.outbox.notice('warn', line);
      this.#arm(barrier, now);
      return;
    }
    if (this.#stage === 0 || culprits.size === 0 || culprits.size === barrier.members.length) {
      const reason = `Stage ${this.#stageName} could not be started in ${counted(barrier.epoch, 'attempt')} (${causes})`;
      this.#run.outbox.notice('error', reason);
      this.#run.notStartable(reason, now);
      return;
    }
    for (const [agent, why] of culprits) {
      const session = this.#run.sessions[agent];
      session?.ending.giveUp('error', `Agent ${session.id} could not be started: ${why}`);
    }
    this.#startOver();
  }

  #startOver(): void {
    this.#nextEpoch = (this.#barrier?.epoch ?? 0) + 1;
    this.#barrier = undefined;
    this.#probes = 0;
  }

  get #stageName(): string {
    return stageName(this.#run.plan.stages, this.#stage);
  }

  #idOf(agent: number): string {
    return this.#run.sessions[agent]?.id ?? String(agent);
  }
}
