/** How the dataset is made, and that nothing is read before it is written. */
import { grainOf } from '../../shared/model/sizes.js';
import { formatSize } from '../../shared/model/units.js';
import type { Plan, PrepareTuning, StagePlan } from '../../shared/model/plan.js';
import type { Finding } from './finding.js';

const sector = 512;

export function* checkPrepare(plan: Plan): Generator<Finding> {
  const { prepare, given } = plan.dataset;
  if (prepare !== 'none') {
    yield* checkTuning(prepare, fileGrain(plan));
    return;
  }
  if (given !== undefined) {
    const message = `has no effect: dataset.${given.kind} is there already`;
    yield { level: 'error', path: ['dataset', 'prepare'], message };
    return;
  }
  yield* checkOrder(plan);
}

function* checkTuning({ direct, blockSizeBytes }: PrepareTuning, file: number): Generator<Finding> {
  if (!direct) return;
  const path = ['dataset', 'prepare', 'direct'];
  for (const [key, bytes] of [
    ['block_size', blockSizeBytes],
    ['dataset.file_size', file],
  ] as const) {
    if (bytes % sector === 0) continue;
    const message = `direct I/O needs a multiple of ${String(sector)} bytes; ${key} is ${formatSize(bytes)}`;
    yield { level: 'error', path, about: [['dataset']], message };
  }
}

/** The first stage that reads, or that fio runs, needs one before it that comes to every block. That it did, the agents see for themselves. */
function* checkOrder(plan: Plan): Generator<Finding> {
  const reader = plan.stages.findIndex(
    (stage) => does(stage, 'read') || does(stage, 'get') || stage.fio !== undefined,
  );
  const stage = plan.stages[reader];
  if (stage === undefined) return;
  const before = plan.stages.slice(0, reader).filter((earlier) => does(earlier, 'write'));
  const problem = whyNotWhole(plan, before);
  if (problem === undefined) return;
  // fio makes and extends no files here: it finds nothing to do in empty ones, also where it only writes.
  const needs =
    stage.fio === undefined ? 'reads' : 'is run by fio, which needs files that are whole';
  yield {
    level: 'error',
    path: ['dataset', 'prepare'],
    about: [['stages']],
    message: `none, but stage "${stage.name}" ${needs}: ${problem}`,
  };
}

function whyNotWhole(plan: Plan, writers: readonly StagePlan[]): string | undefined {
  if (writers.length === 0) return 'a stage before it has to write the files';
  const orderly = writers.filter(comesToEveryBlock);
  if (orderly.length === 0) {
    return 'a stage before it has to write every block; its access must be sequential, shuffled, or strided without stride';
  }
  const { files, fileSizeBytes, fileSizes } = plan.dataset;
  if (!orderly.some((stage) => fileGrain(plan) % blockGrain(stage) === 0)) {
    return `file_size (${formatSize(fileGrain(plan))}) is no multiple of the block_size of the stage that writes, which leaves the rest of each file alone`;
  }
  if (fileSizes !== undefined) return undefined;
  const all = files * fileSizeBytes * (plan.namespace === 'private' ? plan.agents.length : 1);
  const most = orderly.reduce((sum, stage) => sum + mostBytes(stage), 0);
  if (most >= all) return undefined;
  return `the stages before it write at most ${formatSize(most)} of ${formatSize(all)}`;
}

/** What the sizes of all files are multiples of. */
function fileGrain({ dataset }: Plan): number {
  return grainOf(dataset.fileSizes ?? dataset.fileSizeBytes);
}

function blockGrain({ blockSizes, blockSizeBytes }: StagePlan): number {
  return grainOf(blockSizes?.write ?? blockSizeBytes);
}

function comesToEveryBlock({ access }: StagePlan): boolean {
  if (typeof access === 'string') return access !== 'random';
  return 'strided' in access && access.strided.strideBytes === undefined;
}

function mostBytes({ maxBytes, maxOperations, blockSizeBytes }: StagePlan): number {
  return Math.min(maxBytes ?? Infinity, (maxOperations ?? Infinity) * blockSizeBytes);
}

function does({ mix }: StagePlan, kind: string): boolean {
  return mix.some(({ operation }) => operation === kind);
}
