import type { AgentPlan } from '../../shared/model/plan.js';
import type { LinkMetrics } from '../../shared/model/link-metrics.js';
import type { LinkReport } from '../../shared/model/link-report.js';
import { isoTime } from './calendar.js';
import { linkMetricsJson } from './link-metrics-json.js';
import { Outages } from './outages.js';
import type { AgentFacts, JournalRecord, LinkState, SessionState } from './records.js';
import type { Summary } from './summary.js';

type Of<K extends JournalRecord['type']> = Extract<JournalRecord, { type: K }>;

interface AgentEntry {
  readonly plan: AgentPlan;
  facts: AgentFacts | undefined;
  state: SessionState;
  link: LinkState;
  readonly states: { at_ms: number; state: SessionState; reason: string }[];
  readonly links: { at_ms: number; link: LinkState; generation: number; reason: string }[];
  readonly clock: {
    at_ms: number;
    offset_ns: string;
    bound_ns: number;
    round_trip_ns: number;
    wall_offset_ms: number;
  }[];
  readonly starts: { stage: number; lateness_ns: number; bound_ns: number }[];
  readonly outages: Outages;
  metrics: LinkMetrics | undefined;
  report: LinkReport | undefined;
}

type Verdict = Pick<Summary, 'outcome' | 'reason' | 'exit_code'>;

/** Some hundred kilobytes. */
const agentsPerChunk = 32;

export type ManifestDocument = ReturnType<Manifest['document']>;

/**
 * run.json: what the run was, who took part and what became of them, as known so far. Made from the same records as the
 * numbers, so a crash leaves a truthful one and `report` can make it again. `outcome` is "running" until the end.
 */
export class Manifest {
  #run: Of<'run'> | undefined;
  #end: Of<'end'> | undefined;
  #planText: string | undefined;
  #agents: readonly AgentEntry[] = [];
  readonly #stages: { stage: number; epoch: number; at_ms: number; ended_at_ms: number | null }[] =
    [];
  readonly #decisions: {
    at_ms: number;
    event: string;
    agent: string | null;
    verdict: string;
  }[] = [];

  /** True when the record changed what toJson() gives. */
  accept(record: JournalRecord): boolean {
    const at_ms = Math.round(record.atMs);
    switch (record.type) {
      case 'run':
        this.#run = record;
        this.#planText = undefined;
        this.#agents = record.plan.agents.map(newEntry);
        return true;
      case 'agent':
        return this.#on(record.agent, (agent) => (agent.facts = record.facts));
      case 'clock': {
        const { clock } = record;
        return this.#on(record.agent, (agent) =>
          agent.clock.push({
            at_ms,
            offset_ns: String(clock.offsetNs),
            bound_ns: clock.boundNs,
            round_trip_ns: clock.roundTripNs,
            wall_offset_ms: clock.wallOffsetMs,
          }),
        );
      }
      case 'transition':
        return this.#on(record.agent, (agent) => {
          agent.state = record.to;
          agent.states.push({ at_ms, state: record.to, reason: record.reason });
        });
      case 'link':
        return this.#on(record.agent, (agent) => {
          agent.link = record.to;
          const { generation, reason } = record;
          agent.outages.heard(record);
          agent.links.push({ at_ms, link: record.to, generation, reason });
        });
      case 'stageStart':
        this.#stages.push({ stage: record.stage, epoch: record.epoch, at_ms, ended_at_ms: null });
        return true;
      case 'started':
        return this.#on(record.agent, (agent) =>
          agent.starts.push({
            stage: record.stage,
            lateness_ns: record.latenessNs,
            bound_ns: record.boundNs,
          }),
        );
      case 'stageEnd': {
        const stage = this.#stages.findLast((one) => one.stage === record.stage);
        if (stage) stage.ended_at_ms = at_ms;
        return true;
      }
      case 'decision': {
        const agent = this.#agents[record.agent ?? -1]?.plan.id ?? null;
        this.#decisions.push({ at_ms, event: record.event, agent, verdict: record.verdict });
        return true;
      }
      case 'linkMetrics':
        return this.#on(record.agent, (agent) => (agent.metrics = record.metrics));
      case 'linkReport':
        return this.#on(record.agent, (agent) => (agent.report = record.report));
      case 'end':
        this.#end = record;
        return true;
      case 'prepared':
      case 'interval':
      case 'stageResult':
      case 'share':
      case 'notice':
      case 'warning':
      case 'heartbeat':
        return false;
      default:
        return record satisfies never;
    }
  }

  /**
   * JSON text; throws an Error when no `run` record has come. `verdict`: the summary's, once there is one: it knows of
   * thresholds that failed, and that a journal without an end is of a run that was interrupted.
   */
  toJson(verdict?: Verdict): string {
    return [...this.chunks(verdict)].join('');
  }

  /** What toJson() gives, piece by piece: of a thousand agents it is several megabytes. */
  *chunks(verdict?: Verdict): Generator<string> {
    const head = JSON.stringify(this.#head(verdict), undefined, 2);
    yield `${head.slice(0, -'\n}'.length)},\n  "agents": [`;
    for (let from = 0; from < this.#agents.length; from += agentsPerChunk) {
      const some = this.#agents.slice(from, from + agentsPerChunk).map(agentJson);
      if (from > 0) yield ',';
      // As deep as in the document, so that the lines are indented as they are there.
      yield JSON.stringify([some], undefined, 2).slice('[\n  ['.length, -'\n  ]\n]'.length);
    }
    this.#planText ??= JSON.stringify({ plan: this.#run?.plan }, undefined, 2).slice('{\n'.length);
    yield `\n  ],\n${this.#planText}\n`;
  }

  /** What toJson() gives, as a value. */
  document(verdict?: Verdict) {
    const head = this.#head(verdict);
    return { ...head, agents: this.#agents.map(agentJson), plan: this.#run?.plan };
  }

  #head(verdict: Verdict | undefined) {
    const run = this.#run;
    if (!run) throw new Error('no run record has been accepted');
    return {
      schema: 1,
      outcome: verdict?.outcome ?? this.#end?.outcome ?? 'running',
      reason: verdict?.reason ?? this.#end?.reason ?? null,
      exit_code: verdict?.exit_code ?? this.#end?.exitCode ?? null,
      run_id: run.runId,
      name: run.plan.name,
      mode: run.mode,
      started: isoTime(run.startedUnixMs),
      started_unix_ms: run.startedUnixMs,
      ended_after_ms: this.#end ? Math.round(this.#end.atMs) : null,
      seed: run.plan.seed,
      versions: { muster: run.version, node: run.node },
      command_line: run.commandLine,
      config_sha256: run.configSha256,
      timeline: { stages: this.#stages, decisions: this.#decisions },
    };
  }

  #on(index: number, change: (agent: AgentEntry) => void): boolean {
    const agent = this.#agents[index];
    if (!agent) return false;
    change(agent);
    return true;
  }
}

function newEntry(plan: AgentPlan): AgentEntry {
  return {
    plan,
    facts: undefined,
    state: 'CONNECTING',
    link: 'CONNECTING',
    states: [],
    links: [],
    clock: [],
    starts: [],
    outages: new Outages(),
    metrics: undefined,
    report: undefined,
  };
}

function agentJson(agent: AgentEntry) {
  const { plan, facts } = agent;
  return {
    index: plan.index,
    id: plan.id,
    address: plan.address,
    labels: plan.labels,
    state: agent.state,
    link: agent.link,
    reconnects: agent.links.filter((one) => one.link === 'CONNECTED' && one.generation > 1).length,
    version: facts?.version ?? null,
    hostname: facts?.hostname ?? null,
    instance_id: facts?.instanceId ?? null,
    boot_id: facts?.bootId ?? null,
    host: facts?.host ?? null,
    target: facts?.target ?? null,
    states: agent.states,
    links: agent.links,
    link_metrics: linkMetricsJson(agent.metrics, agent.report, agent.outages),
    clock: agent.clock,
    starts: agent.starts,
  };
}
