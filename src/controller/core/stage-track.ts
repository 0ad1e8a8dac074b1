import type { Interval, Prepared } from '../../shared/model/messages.js';
import { operationKinds } from '../../shared/model/operation.js';
import type { OperationKind } from '../../shared/model/operation.js';
import type { AgentPlan, StagePlan } from '../../shared/model/plan.js';
import { AgentStage } from './agent-stage.js';
import { agentStageState } from './agent-outcome.js';
import type { AgentStageState } from './agent-outcome.js';
import type { DecodedStats } from './decoded-interval.js';
import type { Outages } from './outages.js';
import type { LinkState, SessionState } from './records.js';
import { SecondHistograms } from './second-histograms.js';

/** What the aggregate remembers of one agent over all stages. */
export interface AgentTrack {
  readonly plan: AgentPlan;
  bootId: string | undefined;
  /** Of Muster. */
  version: string | undefined;
  /** Of its host. */
  memoryBytes: number | undefined;
  /** Of its existing files or devices. */
  givenBytes: number | undefined;
  /** Those of them that lie on a file system of the network. */
  remoteFiles: readonly string[];
  prepared: Prepared | undefined;
  session: SessionState;
  link: LinkState;
  readonly outages: Outages;
  /** Of the last transition or link change that had one. */
  reason: string;
}

/** One agent that was told to start the stage, or reported in it. */
export interface StageMember {
  readonly agent: AgentTrack;
  readonly stage: AgentStage;
  readonly state: AgentStageState;
}

/** All that is known of one stage. */
export class StageTrack {
  readonly plan: StagePlan;
  readonly agents = new Map<number, AgentStage>();
  /** Service latencies of all agents by interval. */
  readonly seconds = new Map<OperationKind, SecondHistograms>();
  /** Response latencies, in open loop. */
  readonly responses = new Map<OperationKind, SecondHistograms>();
  told: readonly number[] = [];
  /** When T0 and the warm-up were over: the measured second 0, on the clock of the records. */
  measuredAtMs: number | undefined;
  /** New divisions of the rate. */
  readonly divisions: { readonly atMs: number; readonly agents: readonly number[] }[] = [];
  ended = false;
  folded = 0;
  duplicates = 0;

  readonly #fleet: readonly AgentPlan[];

  constructor(plan: StagePlan, fleet: readonly AgentPlan[]) {
    this.plan = plan;
    this.#fleet = fleet;
  }

  agent(index: number): AgentStage {
    let stage = this.agents.get(index);
    if (!stage) this.agents.set(index, (stage = this.#newAgent(index)));
    return stage;
  }

  /** `folded`: count it, but without a place in the time line. */
  addInterval(
    agent: number,
    interval: Interval,
    operations: readonly DecodedStats[],
    folded: boolean,
  ): void {
    if (!this.agent(agent).addInterval(interval, operations, folded)) {
      this.duplicates += 1;
      return;
    }
    if (folded) {
      this.folded += 1;
      return;
    }
    for (const { stats, service, response } of operations) {
      ofKind(this.seconds, stats.operation).add(interval, service);
      if (this.isOpenLoop) ofKind(this.responses, stats.operation).add(interval, response);
    }
  }

  divided(atMs: number, agents: readonly number[]): void {
    this.divisions.push({ atMs, agents });
  }

  get isOpenLoop(): boolean {
    return this.plan.rate !== undefined;
  }

  /** What the live view's percentiles are of. */
  get headlineSeconds(): ReadonlyMap<OperationKind, SecondHistograms> {
    return this.isOpenLoop ? this.responses : this.seconds;
  }

  /** In the plan's order, then what agents reported beyond it. */
  get operations(): readonly OperationKind[] {
    const seen = new Set(this.plan.mix.map((entry) => entry.operation));
    const reported = new Set(
      [...this.agents.values()].flatMap((stage) => [...stage.totals.keys()]),
    );
    return [...seen, ...operationKinds.filter((kind) => reported.has(kind) && !seen.has(kind))];
  }

  /** By index of the agent. */
  members(agents: readonly AgentTrack[]): readonly StageMember[] {
    return agents
      .filter(({ plan }) => this.told.includes(plan.index) || this.agents.has(plan.index))
      .map((agent) => {
        const stage = this.agents.get(agent.plan.index) ?? this.#newAgent(agent.plan.index);
        return { agent, stage, state: this.stateOf(agent) };
      });
  }

  stateOf(agent: AgentTrack): AgentStageState {
    const { index } = agent.plan;
    const told = this.told.includes(index);
    return agentStageState(this.agents.get(index), told, agent.session, agent.link, this.ended);
  }

  #newAgent(index: number): AgentStage {
    const { durationMs = Infinity, threads } = this.plan;
    const wholeSeconds = Math.max(1, Math.floor(durationMs / 1000));
    return new AgentStage(this.isOpenLoop, this.#fleet[index]?.threads ?? threads, wholeSeconds);
  }
}

function ofKind(
  all: Map<OperationKind, SecondHistograms>,
  operation: OperationKind,
): SecondHistograms {
  let own = all.get(operation);
  if (!own) all.set(operation, (own = new SecondHistograms()));
  return own;
}
