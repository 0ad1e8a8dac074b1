import { engineCapabilities } from '../../shared/model/engines.js';
import { parseTarget } from '../../shared/model/target.js';
import { checkPacing } from './check-pacing.js';
import { checkFio } from './check-fio.js';
import { checkTransfer } from './check-transfer.js';
import { counted } from '../../shared/kernel/counted.js';
import type { EngineName } from '../../shared/model/engines.js';
import type { OperationKind } from '../../shared/model/operation.js';
import type { Plan, StagePlan } from '../../shared/model/plan.js';
import type { KeyPath } from '../../shared/model/config/path.js';
import type { Finding } from './finding.js';

export function* checkStages(plan: Plan): Generator<Finding> {
  const names = new Map<string, number>();
  for (const stage of plan.stages) {
    const path: KeyPath = ['stages', stage.index];
    const first = names.get(stage.name);
    if (first === undefined) names.set(stage.name, stage.index);
    else {
      const message = `"${stage.name}" is the name of stages[${String(first)}] already`;
      yield { level: 'error', path: [...path, 'name'], about: [['stages', first]], message };
    }
    yield* checkWork(plan, stage, path);
    yield* checkConcurrency(plan, stage, path);
    yield* checkDepth(plan, stage, path);
    yield* checkTransfer(plan, stage, path);
    yield* checkPacing(plan, stage, path);
    yield* checkFio(plan, stage, path);
  }
}

const onFiles: readonly OperationKind[] = ['read', 'write', 'get', 'stat', 'list'];
/** What has to be made before it can be removed or renamed. */
const makerOf: Partial<Record<OperationKind, OperationKind>> = {
  delete: 'put',
  rmdir: 'mkdir',
  rename: 'put',
};

/** [RUN-23] A stage that would do nothing, or never end, or that its engine cannot do. */
function* checkWork(plan: Plan, stage: StagePlan, path: KeyPath): Generator<Finding> {
  const kinds = stage.mix.map((entry) => entry.operation);
  if (kinds.length === 0) {
    yield {
      level: 'error',
      path: [...path, 'mix'],
      message: 'all weights are zero: nothing would be done',
    };
  }
  if ((stage.durationMs ?? stage.maxOperations ?? stage.maxBytes) === undefined) {
    const message = 'has no limit and would never end; give duration, max_operations or max_bytes';
    yield { level: 'error', path, message };
  }
  const engines = enginesOf(plan);
  const needy = kinds.filter((kind) => onFiles.includes(kind));
  if (
    needy.length > 0 &&
    plan.dataset.files === 0 &&
    plan.dataset.given === undefined &&
    engines.some((e) => engineCapabilities[e].stores)
  ) {
    const message = `${needy.join(', ')} needs files: nothing would be done; set dataset.files to at least 1`;
    yield { level: 'error', path: [...path, 'mix'], about: [['dataset'], ['target']], message };
  }
  for (const kind of kinds) {
    const maker = makerOf[kind];
    const made = plan.stages.some(
      (other) => other.index <= stage.index && other.mix.some((entry) => entry.operation === maker),
    );
    if (maker !== undefined && !made) {
      const message = `${kind} has nothing to ${kind === 'rename' ? 'rename' : 'remove'}; it needs ${maker} in the same or an earlier stage`;
      yield { level: 'error', path: [...path, 'mix'], about: [['stages']], message };
    }
    for (const engine of engines) {
      if (engineCapabilities[engine].operations.has(kind)) continue;
      yield {
        level: 'error',
        path: [...path, 'mix'],
        message: `the ${engine} engine has no ${kind}`,
      };
    }
  }
}

function enginesOf(plan: Plan): readonly EngineName[] {
  const targets = plan.agents.map((agent) => parseTarget(agent.target));
  return [...new Set(targets.flatMap((target) => ('problem' in target ? [] : [target.engine])))];
}

/** A worker costs about 8 MB and 20 ms of CPU to start (design 8 §3). */
const mostThreads = 256;

/** [RUN-16] */
function* checkConcurrency(plan: Plan, stage: StagePlan, path: KeyPath): Generator<Finding> {
  const { concurrency } = plan.limits;
  const tooMany = (threads: number, depth: number): string | undefined =>
    threads * depth > concurrency
      ? `Concurrency too high (limit: ${String(concurrency)}): ${inFlight(threads, depth)}`
      : threads > mostThreads
        ? `${String(threads)} is too much; at most ${String(mostThreads)} threads`
        : undefined;
  const ofStage = tooMany(stage.threads, stage.iodepth);
  const about = [[...path, 'iodepth']];
  if (ofStage !== undefined) {
    yield { level: 'error', path: [...path, 'threads'], about, message: ofStage };
  }
  if (stage.index > 0) return;
  const deepest = Math.max(...plan.stages.map(({ iodepth }) => iodepth));
  for (const agent of plan.agents) {
    const ofAgent = tooMany(agent.threads ?? 1, agent.threads === undefined ? 1 : deepest);
    if (ofAgent === undefined) continue;
    yield { level: 'error', path: ['agents', agent.index, 'threads'], about, message: ofAgent };
  }
}

/** What is too much, and what would allow it. */
function inFlight(threads: number, depth: number): string {
  if (threads > mostThreads)
    return `${String(threads)} threads; there can be ${String(mostThreads)}`;
  const product = depth === 1 ? '' : ` × iodepth ${String(depth)}`;
  return `${counted(threads, 'thread')}${product}; limits.concurrency raises it`;
}

/** An operation of which a thread can do only one at a time. */
function* checkDepth(plan: Plan, stage: StagePlan, path: KeyPath): Generator<Finding> {
  if (stage.iodepth === 1) return;
  for (const engine of enginesOf(plan)) {
    const kinds = stage.mix.map(({ operation }) => operation);
    const { operations, concurrent } = engineCapabilities[engine];
    const single = kinds.filter((kind) => operations.has(kind) && !concurrent.has(kind));
    if (single.length === 0) continue;
    const message = `the ${engine} engine does one ${single.join(', ')} at a time in each thread; use more threads instead`;
    yield { level: 'error', path: [...path, 'iodepth'], about: [[...path, 'mix']], message };
  }
}
