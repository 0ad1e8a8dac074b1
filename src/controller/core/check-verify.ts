/** Whether what a plan wants verified can be. */
import { grainOf } from '../../shared/model/sizes.js';
import { formatSize } from '../../shared/model/units.js';
import type { OperationKind } from '../../shared/model/operation.js';
import type { Plan, StagePlan } from '../../shared/model/plan.js';
import type { KeyPath } from '../../shared/model/config/path.js';
import type { Finding } from './finding.js';
import { keepsNothing } from './makes-dataset.js';

const block = 4096;
const mostGetBytes = 64 * 1024 ** 2;

export function* checkVerify(plan: Plan): Generator<Finding> {
  const { dataset } = plan;
  if (dataset.verify) yield* checkDataset(plan);
  for (const stage of plan.stages) {
    const path: KeyPath = ['stages', stage.index];
    if (dataset.verify && stage.fio !== undefined) {
      const message = 'fio neither writes nor checks blocks that Muster verifies';
      yield { level: 'error', path: [...path, 'fio'], about: [['dataset', 'verify']], message };
    } else if (dataset.verify) yield* checkStage(plan, stage, path);
    else if (stage.verify) {
      const message = 'needs dataset.verify: only a dataset that was made for it can be verified';
      yield { level: 'error', path: [...path, 'verify'], about: [['dataset']], message };
    }
  }
}

function* checkDataset({ dataset, agents }: Plan): Generator<Finding> {
  const { content, given } = dataset;
  if (given !== undefined) {
    const message = `${given.kind} hold what somebody else wrote: only a dataset that Muster makes can be verified`;
    yield {
      level: 'error',
      path: ['dataset', 'verify'],
      about: [['dataset', given.kind]],
      message,
    };
  }
  if (content === 'zero' || (typeof content === 'object' && content.dedup > 1)) {
    const message = 'verify needs blocks that differ: content random, or compress without dedup';
    yield { level: 'error', path: ['dataset', 'content'], about: [['dataset', 'verify']], message };
  }
  if (dataset.prepare !== 'none' && dataset.prepare.blockSizeBytes % block !== 0) {
    const message = `verify needs writes of a multiple of 4KiB, not of ${formatSize(dataset.prepare.blockSizeBytes)}`;
    const about = [['dataset', 'verify']];
    yield { level: 'error', path: ['dataset', 'prepare', 'block_size'], about, message };
  }
  if (agents.some(({ target }) => keepsNothing(target))) {
    const message = 'a null: target keeps nothing that could be verified';
    yield { level: 'error', path: ['dataset', 'verify'], about: [['target']], message };
  }
}

function* checkStage(plan: Plan, stage: StagePlan, path: KeyPath): Generator<Finding> {
  const about = [['dataset', 'verify']];
  const does = (...kinds: OperationKind[]): boolean =>
    stage.mix.some(({ operation }) => kinds.includes(operation));
  const sizes = stage.blockSizes ?? { read: stage.blockSizeBytes, write: stage.blockSizeBytes };
  const odd = (['read', 'write'] as const)
    .filter((kind) => does(kind))
    .map((kind) => grainOf(sizes[kind]))
    .find((grain) => grain % block !== 0);
  if (odd !== undefined) {
    const message = `verify needs reads and writes of a multiple of 4KiB, not of ${formatSize(odd)}`;
    yield { level: 'error', path: [...path, 'block_size'], about, message };
  }
  if (does('get') && stage.verify && plan.dataset.fileSizeBytes > mostGetBytes) {
    const message = `get is verified in memory, in files of at most ${formatSize(mostGetBytes)}; set verify to false here, or use read`;
    yield { level: 'error', path: [...path, 'verify'], about: [['dataset', 'file_size']], message };
  }
  if (does('put') && stage.verify) {
    const message =
      'what put makes is not verified, because no operation reads it back; write files of the dataset with write, or set verify to false here';
    yield { level: 'error', path: [...path, 'verify'], about: [[...path, 'mix']], message };
  }
  const isDivided =
    stage.access === 'sequential' ||
    (typeof stage.access === 'object' && 'strided' in stage.access);
  if (does('write') && plan.namespace === 'shared' && plan.agents.length > 1 && !isDivided) {
    const message =
      'agents that share files would overwrite each other’s blocks while these are verified; use sequential or strided, or namespace private';
    yield { level: 'error', path: [...path, 'access'], about, message };
  }
}
