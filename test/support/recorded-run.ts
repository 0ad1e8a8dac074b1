import { Histogram } from '../../src/shared/metrics/histogram.js';
import type { LinkMetrics } from '../../src/shared/model/link-metrics.js';
import { linkReport } from '../../src/shared/model/link-metrics.js';
import type { LinkReport } from '../../src/shared/model/link-report.js';
import { agentEndpoint } from '../../src/shared/wire/link-endpoint.js';
import { unpaced } from '../../src/shared/model/pacing.js';
import type {
  EndedBy,
  Interval,
  OperationStats,
  StageResult,
} from '../../src/shared/model/messages.js';
import type { OperationKind } from '../../src/shared/model/operation.js';
import type { Plan, StagePlan } from '../../src/shared/model/plan.js';
import type { JournalRecord, RunRecord, SessionState } from '../../src/controller/core/records.js';

export function stagePlan(index: number, change: Partial<StagePlan> = {}): StagePlan {
  return {
    index,
    name: `stage-${String(index)}`,
    mix: [{ operation: 'read', weight: 1 }],
    blockSizeBytes: 4096,
    blockSizes: undefined,
    access: 'random',
    verify: false,
    threads: 2,
    direct: false,
    noatime: false,
    fsync: 'never',
    fio: undefined,
    iodepth: 1,
    sync: 'none',
    fdatasync: false,
    dropCache: false,
    durationMs: 5000,
    maxOperations: undefined,
    maxBytes: undefined,
    ...unpaced,
    ...change,
  };
}

export function planOf(
  agents: number,
  stages: readonly StagePlan[],
  more: Partial<Plan> = {},
): Plan {
  return {
    name: 'recorded',
    seed: 42,
    namespace: 'private',
    agents: Array.from({ length: agents }, (_, index) => ({
      index,
      id: `agent-${String(index + 1)}`,
      address: `127.0.0.1:${String(7761 + index)}`,
      target: '/mnt/bench',
      threads: undefined,
      labels: {},
    })),
    dataset: {
      name: 'ds',
      files: 4,
      fileSizeBytes: 1 << 20,
      fileSizes: undefined,
      directories: { width: 1, depth: 0 },
      content: 'random',
      prepare: { threads: undefined, blockSizeBytes: 1_048_576, direct: false },
      verify: false,
      keep: false,
    },
    stages,
    expect: [],
    failurePolicy: 'majority',
    timeouts: {
      connectMs: 5000,
      helloMs: 10_000,
      prepareSilenceMs: 30_000,
      prepareIoStallMs: 600_000,
      pingAfterMs: 60_000,
      hungAfterMs: 60_000,
      collectMs: 10_000,
      drainMs: 30_000,
      abortMs: 5000,
      cleanupMs: 60_000,
      reconnectWindowMs: 30_000,
      leaseMs: 150_000,
      operationMs: undefined,
    },
    limits: { concurrency: 1024 },
    maxStartSpreadMs: 10,
    results: { folder: 'results', formats: ['json', 'csv', 'hlog', 'html'] },
    ...more,
  };
}

export function runRecord(plan: Plan, mode: 'run' | 'prepare' | 'cleanup' = 'run'): RunRecord {
  return {
    type: 'run',
    schema: 1,
    runId: 'run-1',
    mode,
    startedUnixMs: 1_763_700_000_000,
    version: '0.1.0',
    node: 'v20.20.0',
    commandLine: ['run', 'config.yaml'],
    configSha256: '00',
    plan,
  };
}

export function at(atMs: number, record: RunRecord): JournalRecord {
  return { ...record, atMs };
}

/** What one second of one operation did: latencies of the good ones, errors by code (each took 1 ms). */
export interface SecondOfWork {
  readonly latenciesNs: readonly number[];
  readonly errors?: Readonly<Record<string, number>>;
  /** Open loop: from the intended starts. */
  readonly responsesNs?: readonly number[];
  readonly missed?: number;
  readonly unissued?: number;
}

/**
 * One agent's work in one stage and the messages it sends about it, as the agent would make them: cumulative counters,
 * histogram deltas. The truth is kept beside, so a test can compare.
 */
export class RecordedAgent {
  readonly #stage: number;
  readonly #bytesEach: number;
  readonly #cumulative = new Map<OperationKind, Cumulative>();
  #seconds = 0;

  constructor(stage = 0, bytesEach = 4096) {
    this.#stage = stage;
    this.#bytesEach = bytesEach;
  }

  /** Works a second (or, merged, several) and reports it. */
  interval(
    work: Readonly<Partial<Record<OperationKind, SecondOfWork>>>,
    change: Partial<Interval> & { seconds?: number } = {},
  ): Interval {
    const { seconds = 1, ...rest } = change;
    const first = this.#seconds;
    this.#seconds += seconds;
    const operations = Object.entries(work).map(([name, one]) => {
      const operation = name as OperationKind;
      const total = this.#cumulative.get(operation) ?? new Cumulative(this.#bytesEach);
      this.#cumulative.set(operation, total);
      return total.add(operation, one);
    });
    return {
      stage: this.#stage,
      first,
      last: this.#seconds - 1,
      operations,
      inFlight: 2,
      oldestInFlightNs: 1000,
      sampledLateNs: 0,
      runnerCpu: 0.5,
      hostCpu: 0.25,
      runnerLoopDelayNs: 0,
      busiestThreadCpu: 0,
      lateWakeUps: 0,
      runnerGcNs: 0,
      controlLoopDelayNs: 0,
      controlGcNs: 0,
      ...rest,
    };
  }

  result(endedBy: EndedBy, doneS: number, change: Partial<StageResult> = {}): StageResult {
    const atNs = 5_000_000_000n;
    return {
      stage: this.#stage,
      endedBy,
      atNs,
      firstOperationNs: atNs + 1000n,
      lastOperationNs: atNs + BigInt(Math.round(doneS * 1e9)),
      intervals: this.#seconds,
      abandoned: 0,
      operations: [...this.#cumulative].map(([operation, total]) => total.stats(operation)),
      mechanism: 'psync',
      warmup: [],
      warnings: [],
      endedNs: atNs + BigInt(Math.round(doneS * 1e9)),
      syncs: new Uint8Array(),
      ...change,
    };
  }

  /** Everything done so far. */
  truth(operation: OperationKind): Histogram {
    return this.#cumulative.get(operation)?.service ?? new Histogram();
  }
}

class Cumulative {
  readonly service = new Histogram();
  readonly #response = new Histogram();
  #missed = 0;
  #unissued = 0;
  readonly #failed = new Histogram();
  readonly #errors = new Map<string, number>();
  readonly #bytesEach: number;

  constructor(bytesEach: number) {
    this.#bytesEach = bytesEach;
  }

  add(operation: OperationKind, work: SecondOfWork): OperationStats {
    const service = new Histogram();
    const failed = new Histogram();
    const response = new Histogram();
    for (const ns of work.latenciesNs) service.record(ns);
    for (const ns of work.responsesNs ?? []) response.record(ns);
    this.#response.merge(response);
    this.#missed += work.missed ?? 0;
    this.#unissued += work.unissued ?? 0;
    for (const [code, count] of Object.entries(work.errors ?? {})) {
      failed.record(1e6, count);
      this.#errors.set(code, (this.#errors.get(code) ?? 0) + count);
    }
    this.service.merge(service);
    this.#failed.merge(failed);
    return {
      ...this.stats(operation),
      service: service.encode(),
      response: response.encode(),
      failed: failed.encode(),
    };
  }

  stats(operation: OperationKind): OperationStats {
    return {
      operation,
      count: this.service.count,
      bytes: this.service.count * this.#bytesEach,
      errors: [...this.#errors].map(([code, count]) => ({ code, count })),
      missedSchedules: this.#missed,
      unissuedSchedules: this.#unissued,
      service: this.service.encode(),
      response: this.#response.encode(),
      failed: this.#failed.encode(),
    };
  }
}

/** Numbers that look random and are the same every time (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface SampleOptions {
  readonly agents?: number;
  readonly seconds?: number;
  readonly perSecond?: number;
  readonly seed?: number;
  readonly plan?: Partial<Plan>;
  readonly end?: boolean;
}

/** A whole run of one stage with a mix of reads and writes, that went well. */
export function sampleRun(options: SampleOptions = {}): readonly JournalRecord[] {
  const { agents = 3, seconds = 5, perSecond = 50, seed = 1 } = options;
  const random = seeded(seed);
  const stage = stagePlan(0, {
    name: 'mixed',
    durationMs: seconds * 1000,
    mix: [
      { operation: 'read', weight: 7 },
      { operation: 'write', weight: 3 },
    ],
  });
  const plan = planOf(agents, [stage], options.plan);
  const records: JournalRecord[] = [at(0, runRecord(plan))];
  const all = plan.agents.map(({ index }) => index);
  const team = all.map((index) => {
    records.push(at(10 + index, hostFacts(index)));
    records.push(at(20 + index, linkUp(index)));
    records.push(at(30 + index, to(index, 'CONNECTING', 'IDLE')));
    records.push(at(40 + index, clockOf(index)));
    // Agent 0 finds one file of four.
    const [files, kept] = index === 0 ? [3, 1] : [4, 0];
    const prepared = { files, bytes: files * 2 ** 20, kept, tookNs: 500_000_000 + index };
    records.push(at(50 + index, { type: 'prepared', agent: index, prepared }));
    return new RecordedAgent();
  });
  records.push(
    at(3000, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 5_000_000_000n, agents: all }),
  );
  for (const index of all) {
    records.push(at(3010, to(index, 'ARMED', 'RUNNING')));
    const latenessNs = 100_000 + index * 50_000;
    records.push(
      at(3020, { type: 'started', agent: index, stage: 0, latenessNs, boundNs: 40_000 }),
    );
  }
  for (let second = 0; second < seconds; second++) {
    for (const [index, agent] of team.entries()) {
      const latency = (): number => 50_000 * (index + 1) * Math.exp(random() * 3);
      const latenciesNs = (share: number): number[] =>
        Array.from({ length: Math.round(perSecond * share * (1 - index * 0.1)) }, latency);
      const interval = agent.interval({
        read: { latenciesNs: latenciesNs(0.7) },
        write: { latenciesNs: latenciesNs(0.3), ...(second === 1 ? { errors: { EIO: 1 } } : {}) },
      });
      records.push(
        at(4100 + second * 1000 + index * 20, { type: 'interval', agent: index, interval }),
      );
    }
    records.push(at(4500 + second * 1000, { type: 'heartbeat', lateMs: 3 }));
  }
  const endMs = 4000 + seconds * 1000;
  for (const [index, agent] of team.entries()) {
    const result = agent.result('duration', seconds + 0.001 * (index + 1));
    records.push(at(endMs + 50, { type: 'stageResult', agent: index, result }));
    records.push(at(endMs + 60, to(index, 'RUNNING', 'COMPLETED')));
  }
  records.push(at(endMs + 70, { type: 'stageEnd', stage: 0 }));
  if (options.end !== false) {
    const { metrics, report } = countedLink();
    records.push(at(endMs + 90, { type: 'linkReport', agent: 0, report }));
    for (const agent of all) records.push(at(endMs + 95, { type: 'linkMetrics', agent, metrics }));
    records.push(at(endMs + 100, completed));
  }
  return records;
}

/** What both sides counted of a link over which little went. */
export function countedLink(): { metrics: LinkMetrics; report: LinkReport } {
  const metrics: LinkMetrics = {
    ...agentEndpoint({ session: 'run-1', mergeHistograms: (a) => a }).metrics(),
    sent: { lease: { messages: 30, bytes: 900 } },
    received: { interval: { messages: 5, bytes: 5000 }, heartbeat: { messages: 9, bytes: 700 } },
    dropped: { lease: 2 },
    streams: 3,
    invalid: 4,
    retries: 7,
    backlogs: 1,
    payloadBytes: 9000,
    packedBytes: 3000,
    latency: { samples: 4, meanMs: 1.5, maxMs: 3 },
  };
  return { metrics, report: linkReport(metrics, { checkpoints: 1, checkpointBytes: 200 }) };
}

export const completed: RunRecord = {
  type: 'end',
  outcome: 'completed',
  exitCode: 0,
  reason: undefined,
  notRepresentative: false,
};

export function to(agent: number, from: SessionState, state: SessionState, reason = ''): RunRecord {
  return { type: 'transition', agent, from, to: state, reason };
}

function linkUp(agent: number): RunRecord {
  return { type: 'link', agent, to: 'CONNECTED', generation: 1, reason: '' };
}

function hostFacts(agent: number): RunRecord {
  const facts = {
    version: '0.1.0',
    hostname: `node${String(agent + 1)}`,
    instanceId: `instance-${String(agent)}`,
    bootId: `boot-${String(agent)}`,
    host: { cpus: 8, node: 'v20.20.0' },
    ...(agent === 0 ? { target: { realPath: '/mnt/bench' } } : {}),
  };
  return { type: 'agent', agent, facts };
}

function clockOf(agent: number): RunRecord {
  const clock = {
    offsetNs: -123_456_789_012_345_678n * BigInt(agent + 1),
    boundNs: 40_000,
    roundTripNs: 80_000,
    wallOffsetMs: 1.5,
  };
  return { type: 'clock', agent, clock };
}
