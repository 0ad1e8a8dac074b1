import { unpaced } from '../../src/shared/model/pacing.js';
import type { Instant } from '../../src/shared/kernel/clock.js';
import { deliveryOf } from '../../src/shared/model/messages.js';
import type { AgentMessage, ControllerMessage } from '../../src/shared/model/messages.js';
import type { Plan, StagePlan } from '../../src/shared/model/plan.js';
import { splitPlan } from '../../src/shared/model/split-plan.js';
import type { RunRecord } from '../../src/controller/core/records.js';
import { Run } from '../../src/controller/core/run.js';
import type { RunEffect, RunInput, RunOptions } from '../../src/controller/core/run-io.js';
import { intervalOf, resultOf } from './agent-driver.js';

type Kind<M, K> = Extract<M, { readonly kind: K }>;

export function stageOf(overrides: Partial<StagePlan> = {}): StagePlan {
  return {
    index: 0,
    name: 'first',
    mix: [{ operation: 'read', weight: 1 }],
    blockSizeBytes: 4096,
    blockSizes: undefined,
    access: 'random',
    verify: false,
    threads: 1,
    direct: false,
    noatime: false,
    fsync: 'never',
    fio: undefined,
    iodepth: 1,
    sync: 'none',
    fdatasync: false,
    dropCache: false,
    durationMs: 10_000,
    maxOperations: undefined,
    maxBytes: undefined,
    ...unpaced,
    ...overrides,
  };
}

/** A resolved plan for `count` agents called agent-1 … with the default timeouts. */
export function fleetPlan(count: number, overrides: Partial<Plan> = {}): Plan {
  return {
    name: 'test',
    seed: 1,
    namespace: 'private',
    agents: Array.from({ length: count }, (_, index) => ({
      index,
      id: `agent-${String(index + 1)}`,
      address: `10.0.0.${String(index + 1)}:7761`,
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
    stages: [stageOf()],
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
    results: { folder: 'results', formats: ['json'] },
    ...overrides,
  };
}

/** What a scripted agent does not do. */
export type Refusal =
  | 'dial'
  | 'probe'
  | 'prepare'
  | 'start'
  | 'go'
  | 'abort'
  | 'cleanup'
  | 'heartbeat'
  | 'interval'
  | 'result';

interface Scripted {
  generation: number;
  up: boolean;
  readonly refuses: Set<Refusal>;
  /** Reliable messages that were sent while there was no stream: the link keeps them. */
  readonly kept: ControllerMessage[];
  stage: number | undefined;
  readyStage: number;
  epoch: number;
  /** T0 of the stage it was told to go for, controller's clock. */
  t0Ms: number | undefined;
  intervals: number;
  beat: number;
}

/** Offset of every scripted agent's clock, so that a forgotten conversion shows. */
export const agentOffsetNs = 3_500_000_000n;

/**
 * Drives a Run by hand on its own time. Agents are scripts: they answer every command at once, send heartbeats and
 * intervals while time goes by, and leave out what a test tells them to.
 */
export class ScriptedFleet {
  readonly run: Run;
  readonly plan: Plan;
  readonly all: RunEffect[] = [];
  last: RunEffect[] = [];
  readonly agents: Scripted[];
  /** Messages are heard as the program does it: what follows from them comes with the next tick. */
  hears = false;
  #nowMs = 1000;

  constructor(plan: Plan, options: Partial<RunOptions> = {}) {
    this.plan = plan;
    const mode = options.mode ?? 'run';
    this.run = new Run({
      runId: '7f3a',
      plan,
      mode,
      assignments: splitPlan(plan, '7f3a', 'root@ctl', mode, { datasetHash: 'abc' }),
      cleanup: false,
      random: () => 0.5,
      ...options,
    });
    this.agents = plan.agents.map(() => ({
      generation: 0,
      up: false,
      refuses: new Set(),
      kept: [],
      stage: undefined,
      readyStage: 0,
      epoch: 0,
      t0Ms: undefined,
      intervals: 0,
      beat: 0,
    }));
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get now(): Instant {
    const ms = this.#nowMs;
    return { ms, ns: BigInt(Math.round(ms * 1e6)), unixMs: 1_700_000_000_000 + Math.round(ms) };
  }

  refuse(agent: number, ...what: Refusal[]): this {
    for (const one of what) this.agents[agent]?.refuses.add(one);
    return this;
  }

  obey(agent: number, ...what: Refusal[]): this {
    for (const one of what) this.agents[agent]?.refuses.delete(one);
    return this;
  }

  start(): this {
    return this.feed({ kind: 'start' });
  }

  feed(input: RunInput): this {
    const isHeard = this.hears && input.kind === 'message';
    const effects = isHeard ? this.run.hear(input, this.now) : this.run.handle(input, this.now);
    this.last = effects;
    this.all.push(...effects);
    for (const effect of effects) {
      if (effect.kind === 'dial') this.#dialled(effect.agent, effect.generation);
      else if (effect.kind === 'send') this.#commanded(effect.agent, effect.message);
      else if (effect.kind === 'hangUp') this.agents[effect.agent]!.up = false;
    }
    return this;
  }

  /** A message of an agent on its present stream. */
  says(agent: number, message: AgentMessage): this {
    const { generation } = this.agents[agent]!;
    return this.feed({ kind: 'message', agent, generation, message, receivedNs: this.now.ns });
  }

  cut(agent: number, reason = 'connection reset'): this {
    const scripted = this.agents[agent]!;
    scripted.up = false;
    return this.feed({ kind: 'linkLost', agent, generation: scripted.generation, reason });
  }

  /** Says nothing any more, and its stream stays open. */
  freeze(agent: number): this {
    return this.refuse(agent, ...everything);
  }

  /** Time goes by: ticks when the run asks for them, heartbeats and intervals once a second. */
  advance(ms: number): this {
    const end = this.#nowMs + ms;
    for (;;) {
      const wake = this.run.wakeAt();
      const second = Math.floor(this.#nowMs / 1000) * 1000 + 1000;
      const next = Math.min(wake ?? Infinity, second);
      if (next > end) break;
      const stuck = wake !== undefined && wake <= this.#nowMs;
      this.#nowMs = Math.max(this.#nowMs, next);
      if (next === second) this.#second();
      this.feed({ kind: 'tick' });
      const again = this.run.wakeAt();
      if (stuck && again !== undefined && again <= this.#nowMs) {
        throw new Error(`the run asks for a tick at ${String(again)} again and again`);
      }
    }
    this.#nowMs = end;
    return this;
  }

  /** The controller's process does not run: no tick, nothing arrives. */
  sleep(ms: number): this {
    this.#nowMs += ms;
    return this;
  }

  /** Advances until the run has finished, at most `limitMs`. */
  finish(limitMs = 600_000): this {
    const end = this.#nowMs + limitMs;
    while (!this.end && this.#nowMs < end) this.advance(100);
    return this;
  }

  get end(): Kind<RunEffect, 'finished'> | undefined {
    return this.effects('finished')[0];
  }

  effects<K extends RunEffect['kind']>(kind: K): Kind<RunEffect, K>[] {
    return this.all.filter((effect): effect is Kind<RunEffect, K> => effect.kind === kind);
  }

  sent<K extends ControllerMessage['kind']>(kind: K, agent?: number): Kind<ControllerMessage, K>[] {
    return this.effects('send')
      .filter((effect) => agent === undefined || effect.agent === agent)
      .map(({ message }) => message)
      .filter((message): message is Kind<ControllerMessage, K> => message.kind === kind);
  }

  records<T extends RunRecord['type']>(type: T): Extract<RunRecord, { type: T }>[] {
    return this.effects('record')
      .map(({ record }) => record)
      .filter((record): record is Extract<RunRecord, { type: T }> => record.type === type);
  }

  /** What a user sees without -v. */
  lines(): string[] {
    return this.effects('notice')
      .filter(({ level }) => level !== 'debug')
      .map(({ line }) => line);
  }

  #obeys(agent: number, what: Refusal): boolean {
    const scripted = this.agents[agent]!;
    return scripted.up && !scripted.refuses.has(what);
  }

  #dialled(agent: number, generation: number): void {
    const scripted = this.agents[agent]!;
    if (scripted.refuses.has('dial')) return;
    scripted.generation = generation;
    scripted.up = true;
    this.feed({ kind: 'dialed', agent, generation, ...welcomeOf(agent, generation > 1) });
    for (const message of scripted.kept.splice(0)) this.#commanded(agent, message);
  }

  #commanded(agent: number, message: ControllerMessage): void {
    const scripted = this.agents[agent]!;
    if (!scripted.up && deliveryOf[message.kind].reliable) scripted.kept.push(message);
    switch (message.kind) {
      case 'probe': {
        if (!this.#obeys(agent, 'probe')) return;
        const at = this.now.ns + agentOffsetNs;
        const { id, t1Ns } = message;
        const { unixMs } = this.now;
        this.says(agent, { kind: 'probeReply', id, t1Ns, t2Ns: at, t3Ns: at, unixMs });
        return;
      }
      case 'ping':
        if (this.#obeys(agent, 'heartbeat')) this.says(agent, { kind: 'pong', id: message.id });
        return;
      case 'prepare':
        if (this.#obeys(agent, 'prepare')) this.#prepared(agent);
        return;
      case 'start':
        if (!this.#obeys(agent, 'start')) return;
        if (message.stage > scripted.readyStage) {
          this.says(agent, { kind: 'state', state: 'DRAINING', reason: '' });
          this.#ready(agent, message.stage);
          return;
        }
        scripted.epoch = message.epoch;
        scripted.t0Ms = Number(message.atNs - agentOffsetNs) / 1e6;
        this.says(agent, { kind: 'armed', stage: message.stage, epoch: message.epoch });
        return;
      case 'go':
        if (!this.#obeys(agent, 'go') || message.epoch !== scripted.epoch) return;
        scripted.stage = message.stage;
        scripted.intervals = 0;
        return;
      case 'abort':
        if (!this.#obeys(agent, 'abort')) return;
        scripted.stage = undefined;
        this.says(agent, { kind: 'final', state: 'ABORTED', reason: message.reason });
        return;
      case 'cleanup':
        if (!this.#obeys(agent, 'cleanup')) return;
        this.says(agent, { kind: 'state', state: 'CLEANING', reason: '' });
        this.says(agent, { kind: 'cleaned', files: 4, warnings: [] });
        return;
      default:
    }
  }

  #prepared(agent: number): void {
    const { mode } = this.run.options;
    if (mode === 'run') {
      this.says(agent, { kind: 'state', state: 'PREPARING', reason: '' });
      this.says(agent, { kind: 'marked' });
      this.#ready(agent, 0);
      return;
    }
    if (mode === 'cleanup') this.says(agent, { kind: 'cleaned', files: 4, warnings: [] });
    this.says(agent, { kind: 'final', state: 'COMPLETED', reason: '' });
  }

  #ready(agent: number, stage: number): this {
    this.agents[agent]!.readyStage = stage;
    return this.says(agent, { kind: 'ready', stage });
  }

  #second(): void {
    this.agents.forEach((scripted, agent) => {
      if (this.#obeys(agent, 'heartbeat')) this.says(agent, heartbeatOf());
      if (scripted.stage === undefined || scripted.t0Ms === undefined) return;
      const done = Math.floor((this.#nowMs - scripted.t0Ms) / 1000);
      if (done > 0) this.#interval(agent, scripted, scripted.stage, done);
    });
  }

  #interval(agent: number, scripted: Scripted, stage: number, done: number): void {
    const durationMs = this.plan.stages[stage]?.durationMs ?? Infinity;
    const limit = Math.ceil(durationMs / 1000);
    while (scripted.intervals < Math.min(done, limit) && this.#obeys(agent, 'interval')) {
      const at = scripted.intervals;
      if (at === 0) this.says(agent, { kind: 'state', state: 'RUNNING', reason: '' });
      this.says(agent, { kind: 'interval', ...intervalOf({ stage, first: at, last: at }) });
      scripted.intervals += 1;
    }
    if (done >= limit && this.#obeys(agent, 'result')) this.completes(agent, stage);
  }

  /** The end of a stage as an agent reports it. */
  completes(agent: number, stage: number): this {
    const scripted = this.agents[agent]!;
    scripted.stage = undefined;
    this.says(agent, { kind: 'state', state: 'DRAINING', reason: '' });
    const result = resultOf({ stage, intervals: scripted.intervals });
    this.says(agent, { kind: 'stageResult', ...result });
    if (stage + 1 < this.plan.stages.length) {
      return this.#ready(agent, stage + 1);
    }
    this.says(agent, { kind: 'state', state: 'COMPLETED', reason: '' });
    return this.says(agent, { kind: 'final', state: 'COMPLETED', reason: '' });
  }
}

const everything: readonly Refusal[] = [
  'dial',
  'probe',
  'prepare',
  'start',
  'go',
  'abort',
  'cleanup',
  'heartbeat',
  'interval',
  'result',
];

export function heartbeatOf(
  overrides: Partial<Kind<AgentMessage, 'heartbeat'>> = {},
): AgentMessage {
  return {
    kind: 'heartbeat',
    state: 'RUNNING',
    loopDelayNs: 0,
    agentRssBytes: 1,
    runnerRssBytes: 1,
    operations: 0,
    inFlight: 0,
    oldestInFlightNs: 0,
    runnerSilenceNs: 0,
    starvedThreads: 0,
    ...overrides,
  };
}

export function welcomeOf(
  agent: number,
  resumed: boolean,
): Pick<Kind<RunInput, 'dialed'>, 'hello' | 'welcome'> {
  const instanceId = `instance-${String(agent)}`;
  const common = { version: '0.1.0', instanceId, bootId: `boot-${String(agent)}` } as const;
  return {
    hello: {
      product: 'muster',
      protocol: 1,
      agentId: '',
      state: 'IDLE',
      owner: undefined,
      hostname: `host-${String(agent)}`,
      ownerSpeaks: false,
      tokenRequired: false,
      checkpoints: [],
      ...common,
    },
    welcome: {
      kind: 'welcome',
      nonce: new Uint8Array(16),
      proof: new Uint8Array(),
      state: 'IDLE',
      resumed,
      received: 0n,
      host: '{}',
      ...common,
    },
  };
}
