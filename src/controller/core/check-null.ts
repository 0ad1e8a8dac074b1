/** Keys that say how files are made, opened and forced out, on targets that have none. */
import { keepsNothing } from './makes-dataset.js';
import type { DatasetPlan, Plan, StagePlan } from '../../shared/model/plan.js';
import type { KeyPath } from '../../shared/model/config/path.js';
import type { Finding } from './finding.js';

/** Warnings and no errors, so that any plan can be tried with `--set target=null:`. */
export function* checkNull({ agents, dataset, stages }: Plan): Generator<Finding> {
  const without = agents.filter(({ target }) => keepsNothing(target)).length;
  if (without === 0) return;
  const whose = `, the target of ${String(without)} of ${String(agents.length)} agents`;
  const message = `has no effect on null:${without === agents.length ? '' : whose}`;
  const warning = (path: KeyPath): Finding => ({
    level: 'warning',
    path,
    about: [['target']],
    message,
  });
  for (const key of idleInDataset(dataset)) yield warning(['dataset', ...key]);
  for (const stage of stages) {
    for (const key of idleInStage(stage)) yield warning(['stages', stage.index, key]);
  }
}

/** Whether no agent has files: what else could be said of such a key is of no interest then. */
export function isAllNull({ agents }: Plan): boolean {
  return agents.every(({ target }) => keepsNothing(target));
}

function idleInDataset({ content, directories, keep, prepare }: DatasetPlan): KeyPath[] {
  const tuned =
    prepare !== 'none' &&
    (prepare.direct || prepare.threads !== undefined || prepare.blockSizeBytes !== 1024 ** 2);
  return [
    ...(content === 'random' ? [] : [['content']]),
    ...(directories.depth > 0 ? [['directories']] : []),
    ...(tuned ? [['prepare']] : []),
    ...(keep ? [['keep']] : []),
  ];
}

function idleInStage(stage: StagePlan): string[] {
  // A stage that fio runs is refused on null: as a whole.
  if (stage.fio !== undefined) return [];
  return [
    ...(stage.direct ? ['direct'] : []),
    ...(stage.noatime ? ['noatime'] : []),
    ...(stage.sync === 'none' ? [] : ['sync']),
    ...(stage.fsync === 'never' ? [] : ['fsync']),
    ...(stage.fdatasync ? ['fdatasync'] : []),
    ...(stage.dropCache ? ['drop_cache'] : []),
  ];
}
