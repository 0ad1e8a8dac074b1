/**
 * Divides a plan into one assignment per agent, once, in the controller: no file of a shared dataset is in two `own`
 * ranges or in none, and the shares of a limit add up to it exactly.
 */
import type {
  Assignment,
  AssignmentMode,
  DatasetAssignment,
  FileRange,
  StageAssignment,
} from './assignment.js';
import { forAgent } from './for-agent.js';
import type { OperationKind } from './operation.js';
import type { AgentPlan, Plan, StagePlan } from './plan.js';

export interface SplitOptions {
  /** Hex digest of `datasetIdentity(plan)`: core has no crypto. */
  readonly datasetHash: string;
  /** --skip-prepare. */
  readonly skipPrepare?: boolean;
}

export function splitPlan(
  plan: Plan,
  runId: string,
  creator: string,
  mode: AssignmentMode,
  options: SplitOptions,
): Assignment[] {
  const { timeouts } = plan;
  return plan.agents.map((agent) => ({
    runId,
    mode,
    agentIndex: agent.index,
    agentCount: plan.agents.length,
    agentId: agent.id,
    target: agent.target,
    namespace: plan.namespace,
    seed: plan.seed,
    creator,
    dataset: splitDataset(plan, agent, options),
    stages: plan.stages.map((stage) => splitStage(plan, stage, agent)),
    timeouts: {
      drainMs: timeouts.drainMs,
      abortMs: timeouts.abortMs,
      leaseMs: timeouts.leaseMs,
      reconnectWindowMs: timeouts.reconnectWindowMs,
      runnerSilenceMs: timeouts.pingAfterMs + timeouts.hungAfterMs,
      operationMs: timeouts.operationMs,
    },
  }));
}

/**
 * The text whose SHA-256 is the dataset's hash: dataset, namespace, number of agents, and the seed if the config has
 * one. `keep` and `prepare` are about a run, not about the files, and are left out.
 */
export function datasetIdentity(plan: Plan): string {
  const { name, files, fileSizeBytes, fileSizes, directories, content, verify, seed, given } =
    plan.dataset;
  const { width, depth } = directories;
  const sizes = fileSizes ?? fileSizeBytes;
  return JSON.stringify([
    'muster-dataset-1',
    [
      name,
      files,
      sizes,
      width,
      depth,
      content,
      ...(given === undefined ? [] : [given]),
      ...(verify ? ['verify'] : []),
    ],
    plan.namespace,
    plan.agents.length,
    seed ?? 'drawn',
  ]);
}

function splitDataset(plan: Plan, agent: AgentPlan, options: SplitOptions): DatasetAssignment {
  const { name, files, fileSizeBytes, fileSizes, directories, content, verify, given, prepare } =
    plan.dataset;
  const all: FileRange = { from: 0, to: given?.paths.length ?? files };
  return {
    name,
    hash: options.datasetHash,
    fileSizeBytes,
    fileSizes,
    directories,
    content,
    verify,
    own:
      plan.namespace === 'private' && given === undefined
        ? all
        : part(files, agent.index, plan.agents.length),
    use: all,
    ...(given === undefined
      ? {}
      : { given: { ...given, paths: given.paths.map((path) => forAgent(path, agent)) } }),
    prepare,
    skipPrepare: options.skipPrepare ?? false,
  };
}

function splitStage(plan: Plan, stage: StagePlan, agent: AgentPlan): StageAssignment {
  const agents = plan.agents.length;
  const operations = stage.maxOperations;
  return {
    ...stage,
    threads: agent.threads ?? stage.threads,
    maxOperations: operations === undefined ? undefined : share(operations, agent.index, agents),
    maxBytes:
      stage.maxBytes === undefined
        ? undefined
        : shareOfBytes(stage.maxBytes, operationBytes(plan, stage), agent.index, agents),
  };
}

/** `total` in `parts` whole numbers that differ by at most one, the larger ones first. */
function share(total: number, index: number, parts: number): number {
  return Math.floor(total / parts) + (index < total % parts ? 1 : 0);
}

/** Whole operations; the last agent gets what is over. */
function shareOfBytes(total: number, bytes: number, index: number, parts: number): number {
  const unit = Math.max(1, bytes);
  const rest = index === parts - 1 ? total % unit : 0;
  return share(Math.floor(total / unit), index, parts) * unit + rest;
}

/** What an operation of the stage moves at most: a block or a whole file; 0 when none moves data. */
export function operationBytes(plan: Plan, stage: StagePlan): number {
  const does = (...kinds: OperationKind[]): boolean =>
    stage.mix.some(({ operation }) => kinds.includes(operation));
  if (does('read', 'write')) return stage.blockSizeBytes;
  return does('get', 'put') ? plan.dataset.fileSizeBytes : 0;
}

function part(files: number, index: number, parts: number): FileRange {
  const before = Math.floor(files / parts) * index + Math.min(index, files % parts);
  return { from: before, to: before + share(files, index, parts) };
}
