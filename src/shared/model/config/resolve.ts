/** From the checked config to the plan: names of the plan, agents with ids and expanded targets. */
import type {
  AgentPlan,
  Expectation,
  FailurePolicy,
  GivenData,
  MixEntry,
  Plan,
  Prepare,
  StagePlan,
} from '../plan.js';
import { operationKinds, type OperationKind } from '../operation.js';
import { smallestSize } from '../sizes.js';
import { forAgent } from '../for-agent.js';
import { noFolder, parseTarget } from '../target.js';
import { resolveAccess } from './access.js';
import { resolveContent } from './content.js';
import { planBlockSizes, planFileSizes } from './sizes.js';
import { resolvePacing } from './pacing.js';
import type { Config } from './schema.js';

/** One agent after ranges are expanded; ids are given. */
export interface ListedAgent {
  readonly id: string;
  readonly address: string;
  readonly target: string | undefined;
  readonly threads: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ResolveContext {
  readonly agents: readonly ListedAgent[];
  readonly defaultName: string;
  readonly randomSeed: () => number;
}

const mostBlockBytes = 1024 ** 2;

export function resolvePlan(config: Config, context: ResolveContext): Plan {
  const agents = context.agents.map((agent, index) => resolveAgent(config, agent, index));
  const { dataset, timeouts } = config;
  return {
    name: config.name ?? context.defaultName,
    seed: config.seed ?? context.randomSeed(),
    namespace: config.namespace,
    agents,
    dataset: {
      name: dataset.name,
      files: Math.max(dataset.files, imaginaryFiles(config, agents)),
      ...planFileSizes(dataset.file_size),
      directories: dataset.directories,
      content: resolveContent(dataset.content),
      verify: dataset.verify,
      keep: dataset.keep,
      prepare: resolvePrepare(dataset),
      given: resolveGiven(dataset),
      seed: config.seed,
    },
    stages: config.stages.map((stage, index) => resolveStage(config, stage, index)),
    expect: [...config.expect, ...impliedExpectations(config)],
    failurePolicy: resolvePolicy(config.failure_policy),
    timeouts: {
      connectMs: timeouts.connect,
      helloMs: timeouts.hello,
      prepareSilenceMs: timeouts.prepare_silence,
      prepareIoStallMs: timeouts.prepare_io_stall,
      pingAfterMs: timeouts.ping_after,
      hungAfterMs: timeouts.hung_after,
      collectMs: timeouts.collect,
      drainMs: timeouts.drain,
      abortMs: timeouts.abort,
      cleanupMs: timeouts.cleanup,
      reconnectWindowMs: timeouts.reconnect_window,
      leaseMs: timeouts.lease,
      operationMs: timeouts.operation,
    },
    limits: config.limits,
    maxStartSpreadMs: config.max_start_spread,
    results: config.results,
    ...(config.tls && { tls: config.tls }),
  };
}

function resolveStage(config: Config, stage: Config['stages'][number], index: number): StagePlan {
  const mix = resolveMix(stage.mix);
  const kinds = mix.map(({ operation }) => operation);
  return {
    index,
    name: stage.name,
    mix,
    ...planBlockSizes(stage.block_size, defaultBlockBytes(config, kinds), kinds),
    access: resolveAccess(stage.access),
    verify: stage.verify ?? config.dataset.verify,
    threads: stage.threads,
    direct: stage.direct,
    noatime: stage.noatime,
    iodepth: stage.iodepth,
    sync: stage.sync,
    fsync: stage.fsync,
    fio: stage.fio,
    fdatasync: stage.fdatasync,
    dropCache: stage.drop_cache,
    durationMs: stage.duration,
    maxOperations: stage.max_operations,
    maxBytes: stage.max_bytes,
    shift: stage.shift,
    ...resolvePacing(stage, kinds),
  };
}

/** Every file has room for a block of the default size. A get or put is not of blocks: it goes to the end of its file. */
function defaultBlockBytes({ dataset }: Config, kinds: readonly OperationKind[]): number {
  const { fileSizes, fileSizeBytes } = planFileSizes(dataset.file_size);
  const isOfBlocks = kinds.includes('read') || kinds.includes('write');
  return Math.min(
    mostBlockBytes,
    isOfBlocks && fileSizes !== undefined ? smallestSize(fileSizes) : fileSizeBytes,
  );
}

function resolveAgent(config: Config, agent: ListedAgent, index: number): AgentPlan {
  const { existing, devices } = config.dataset;
  const isGiven = existing !== undefined || devices !== undefined;
  const target = agent.target ?? config.target ?? (isGiven ? noFolder : '');
  return {
    index,
    id: agent.id,
    address: agent.address,
    target: plainTarget(forAgent(target, { id: agent.id, index })),
    threads: agent.threads,
    labels: agent.labels,
  };
}

function resolvePrepare({ prepare }: Config['dataset']): Prepare {
  if (prepare === 'none') return 'none';
  const { threads, block_size, direct } = prepare;
  return { threads, blockSizeBytes: block_size, direct };
}

function resolveGiven({ existing, devices }: Config['dataset']): GivenData | undefined {
  if (existing !== undefined) return { kind: 'existing', paths: existing };
  return devices === undefined ? undefined : { kind: 'devices', paths: devices };
}

/** Agents get `null:` or a plain path, whatever spelling the config has. Bad ones stay for check-targets to refuse. */
function plainTarget(text: string): string {
  const target = parseTarget(text);
  // A path is left as it is: only the agent can know what a symlink makes of its `..`.
  if ('problem' in target || text.startsWith('/')) return text;
  return target.engine === 'file' && target.path !== '' ? target.path : `${target.engine}:`;
}

/** The null engine needs file numbers to choose from although there are no files. */
function imaginaryFiles(config: Config, agents: readonly AgentPlan[]): number {
  const stored = agents.some((agent) => {
    const target = parseTarget(agent.target);
    return 'problem' in target || target.engine !== 'null';
  });
  if (stored) return 0;
  return config.namespace === 'shared' ? agents.length : 1;
}

/** A stage that verifies has failed with one wrong block, unless the config says how many errors may be. */
function impliedExpectations({ dataset, stages, expect }: Config): Expectation[] {
  return stages
    .filter(({ verify }) => dataset.verify && verify !== false)
    .filter(
      ({ name }) => !expect.some(({ stage, metric }) => stage === name && metric === 'errors'),
    )
    .map(({ name }) => ({
      text: `${name}.errors == 0`,
      stage: name,
      operation: undefined,
      metric: 'errors',
      comparison: '==',
      value: 0,
    }));
}

/** In the order of operationKinds, without those of weight 0. */
function resolveMix(mix: Config['stages'][number]['mix']): MixEntry[] {
  if (typeof mix === 'string') return [{ operation: mix, weight: 1 }];
  return operationKinds.flatMap((operation) => {
    const weight = mix[operation] ?? 0;
    return weight > 0 ? [{ operation, weight }] : [];
  });
}

function resolvePolicy(text: string): FailurePolicy {
  if (text === 'majority' || text === 'all' || text === 'any') return text;
  return { percent: Number(text.slice(0, -1)) };
}
