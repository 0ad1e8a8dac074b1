import type { Interval } from '../../shared/model/messages.js';
import { BucketRoom, HistogramFormatError } from '../../shared/metrics/histogram-encoding.js';
import { exitCodes, gravest } from '../../shared/model/outcome.js';
import { coverageOf } from './coverage.js';
import { decodeStats } from './decoded-interval.js';
import { isAllFailed } from './failed-operations.js';
import { journalCut } from './journal-cut.js';
import { liveLoad } from './live-load.js';
import { Outages } from './outages.js';
import { atOnce } from './pieces.js';
import type { Pieces } from './pieces.js';
import { prepareSummary } from './prepare-summary.js';
import type { JournalRecord } from './records.js';
import type { LiveLoad } from './snapshot.js';
import { summarizeStage } from './stage-summary.js';
import { StageTrack } from './stage-track.js';
import type { AgentTrack } from './stage-track.js';
import { hasEnded } from './transitions.js';
import type { StageSummary, Summary } from './summary.js';
import { checkExpectations } from './thresholds.js';
import { givenBytesOf, memoryBytesOf } from './cached-reads.js';
import { remoteFilesOf } from './remote-files.js';
import { sameHost } from './same-host.js';
import { otherVersions } from './other-versions.js';
import { agentWarning, generatorBound, isSaid, warningsOf } from './warnings.js';

type Of<K extends JournalRecord['type']> = Extract<JournalRecord, { type: K }>;

/**
 * The one place where numbers are made: fed with the run's records, live and by `report` from the journal, it feeds the
 * view and every file, so they cannot disagree. Records of agents or stages that the plan does not have are ignored.
 */
export class Aggregate {
  run: Of<'run'> | undefined;
  end: Of<'end'> | undefined;
  agents: readonly AgentTrack[] = [];
  stages: readonly StageTrack[] = [];
  #current: StageTrack | undefined;
  #lastMs = 0;
  #lateMs = 0;
  /** Sentences; of an agent's own, whose and in which words. */
  readonly #warnings = new Map<string, { id: string; text: string } | undefined>();
  readonly #room = new BucketRoom();

  accept(record: JournalRecord): void {
    this.#lastMs = Math.max(this.#lastMs, record.atMs);
    switch (record.type) {
      case 'run':
        this.#begin(record);
        return;
      case 'agent':
        this.#onAgent(record.agent, (agent) => {
          agent.bootId = record.facts.bootId;
          agent.version = record.facts.version;
          agent.memoryBytes = memoryBytesOf(record.facts.host);
          agent.givenBytes = givenBytesOf(record.facts.target);
          agent.remoteFiles = remoteFilesOf(record.facts.target);
        });
        return;
      case 'prepared':
        this.#onAgent(record.agent, (agent) => (agent.prepared = record.prepared));
        return;
      case 'transition':
        this.#onAgent(record.agent, (agent) => {
          agent.session = record.to;
          if (record.to === 'FAILED' || record.to === 'ABORTED') agent.reason = record.reason;
        });
        return;
      case 'link':
        this.#onAgent(record.agent, (agent) => {
          agent.outages.heard(record);
          // Every link is closed at the end: who was hung until then has not come back by that.
          if (record.to !== 'CLOSED' || agent.link !== 'HUNG') agent.link = record.to;
          // What becomes of the link of one that has ended is not why it ended.
          const isLoss = record.to === 'HUNG' || record.to === 'DISCONNECTED';
          if (isLoss && !hasEnded(agent.session)) agent.reason = record.reason;
        });
        return;
      case 'stageStart':
        this.#onStage(record.stage, (stage) => {
          stage.told = record.agents;
          stage.measuredAtMs = record.atMs + (record.leadMs ?? 0) + stage.plan.warmupMs;
          this.#current = stage;
        });
        return;
      case 'share':
        this.#onStage(record.stage, (stage) => stage.divided(record.atMs, record.agents));
        return;
      case 'started':
        this.#onStage(record.stage, (stage) => (stage.agent(record.agent).start = record));
        return;
      case 'interval':
        this.#interval(record);
        return;
      case 'stageResult':
        this.#result(record);
        return;
      case 'stageEnd':
        this.#onStage(record.stage, (stage) => (stage.ended = true));
        return;
      case 'heartbeat':
        this.#lateMs = Math.max(this.#lateMs, record.lateMs);
        return;
      case 'warning':
        this.warn(record.line);
        return;
      case 'end':
        this.end = record;
        return;
      case 'clock':
      case 'linkMetrics':
      case 'linkReport':
      case 'decision':
      case 'notice':
        return;
      default:
        record satisfies never;
    }
  }

  /** Adds a sentence to the summary's warnings. */
  warn(sentence: string): void {
    this.#warnings.set(sentence, this.#warnings.get(sentence));
  }

  live(): LiveLoad {
    return liveLoad(this.stages, this.#current, this.agents);
  }

  /** Throws an Error when no `run` record has come. */
  summary(): Summary {
    return atOnce(this.summaryInPieces());
  }

  /** For a process that has more to do. */
  *summaryInPieces(): Pieces<Summary> {
    const { run } = this;
    if (!run) throw new Error('no run record has been accepted');
    const stages: StageSummary[] = [];
    for (const stage of this.stages) stages.push(yield* summarizeStage(stage, this.agents));
    const planned = run.mode === 'run' ? stages : [];
    const expectations = run.mode === 'run' ? checkExpectations(run.plan.expect, stages) : [];
    const end = this.end ?? unfinished;
    const failed = expectations.some(({ passed }) => !passed) || isAllFailed(run.plan, planned);
    const measurement = {
      generator_bound: generatorBound(this.stages, this.agents),
      same_host: sameHost(this.agents),
      missing_intervals: this.#sum((stage) =>
        [...stage.agents.values()].reduce((sum, agent) => sum + agent.missingSeconds, 0),
      ),
      dropped_live: this.#sum((stage) => stage.folded),
      duplicate_intervals: this.#sum((stage) => stage.duplicates),
      controller_late_ms: Math.round(this.#lateMs),
    };
    const representative = !end.notRepresentative;
    const facts = { representative, measurement };
    const versions = this.agents.map(({ plan: { id }, version }) => ({ id, version }));
    const warnings = [
      ...warningsOf(run.plan, this.agents, planned, facts),
      ...otherVersions(versions, run.version),
    ];
    return {
      schema: 1,
      outcome: end.outcome,
      reason: end.reason ?? null,
      exit_code: failed ? gravest([end.exitCode, exitCodes.thresholdFailed]) : end.exitCode,
      representative,
      run: {
        id: run.runId,
        name: run.plan.name,
        mode: run.mode,
        version: run.version,
        seed: run.plan.seed,
        started_unix_ms: run.startedUnixMs,
        elapsed_s: Math.round(this.#lastMs) / 1000,
      },
      prepare: prepareSummary(this.agents),
      coverage: coverageOf(this.agents, this.stages, run.mode),
      stages: planned,
      expectations,
      measurement,
      warnings: [...warnings, ...this.#toldBeside(warnings)],
    };
  }

  #toldBeside(warnings: readonly string[]): string[] {
    const told = [...this.#warnings];
    const more = told.filter(([, own]) => !own || !isSaid(own.id, own.text, warnings));
    return more.map(([sentence]) => sentence);
  }

  #begin(record: Of<'run'>): void {
    this.run = record;
    this.agents = record.plan.agents.map((plan) => ({
      plan,
      bootId: undefined,
      version: undefined,
      memoryBytes: undefined,
      givenBytes: undefined,
      remoteFiles: [],
      prepared: undefined,
      session: 'CONNECTING',
      outages: new Outages(),
      link: 'CONNECTING',
      reason: '',
    }));
    const stages = record.mode === 'run' ? record.plan.stages : [];
    this.stages = stages.map((plan) => new StageTrack(plan, record.plan.agents));
  }

  #interval(record: Of<'interval'>): void {
    const { agent, interval } = record;
    this.#reading(agent, `interval ${range(interval)}`, () => {
      this.#room.reset();
      const operations = interval.operations.map((stats) => decodeStats(stats, this.#room));
      this.#onStage(interval.stage, (stage) => {
        stage.addInterval(agent, interval, operations, record.folded === true);
      });
    });
  }

  #result({ agent, result }: Of<'stageResult'>): void {
    this.#reading(agent, 'stage result', () => {
      for (const stats of [...result.operations, ...result.warmup]) {
        this.#room.reset();
        decodeStats(stats, this.#room);
      }
      this.#room.read(result.syncs);
      this.#onStage(result.stage, (stage) => {
        stage.agent(agent).setResult(result);
      });
    });
    for (const text of result.warnings) {
      this.#onAgent(agent, ({ plan: { id } }) => {
        this.#warnings.set(agentWarning(id, text), { id, text });
      });
    }
  }

  /** Takes what an agent sent; a histogram that cannot be read costs the message, before anything of it is counted. */
  #reading(agent: number, what: string, take: () => void): void {
    const id = this.agents[agent]?.plan.id;
    if (id === undefined) return;
    try {
      take();
    } catch (thrown) {
      if (!(thrown instanceof HistogramFormatError)) throw thrown;
      this.warn(agentWarning(id, `${what} left out: ${thrown.message}`));
    }
  }

  #onAgent(index: number, change: (agent: AgentTrack) => void): void {
    const agent = this.agents[index];
    if (agent) change(agent);
  }

  #onStage(index: number, change: (stage: StageTrack) => void): void {
    const stage = this.stages[index];
    if (stage) change(stage);
  }

  #sum(pick: (stage: StageTrack) => number): number {
    return this.stages.reduce((sum, stage) => sum + pick(stage), 0);
  }
}

/** Of a journal without an end. One whose disk got full has one, where that could be written. */
const unfinished = {
  outcome: 'interrupted',
  exitCode: exitCodes.interrupted,
  reason: `${journalCut} (its controller was killed, or its disk took no more)`,
  notRepresentative: false,
} as const;

function range({ first, last }: Interval): string {
  return first === last ? String(first) : `${String(first)}-${String(last)}`;
}
