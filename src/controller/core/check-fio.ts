import { bypassesCache, engineOf, keepsDepth } from '../../shared/model/fio-options.js';
import { fioStageProblems } from '../../shared/model/fio-stage.js';
import { parseTarget } from '../../shared/model/target.js';
import type { KeyPath } from '../../shared/model/config/path.js';
import type { Plan, StagePlan } from '../../shared/model/plan.js';
import type { Finding } from './finding.js';

/** What a stage that the hosts' fio runs cannot have; nothing for other stages. */
export function* checkFio(plan: Plan, stage: StagePlan, path: KeyPath): Generator<Finding> {
  if (stage.fio === undefined) return;
  const error = (key: string, message: string): Finding => ({
    level: 'error',
    path: [...path, key],
    about: [[...path, 'fio']],
    message,
  });
  for (const [key, message] of fioStageProblems(stage)) yield error(key, message);
  for (const agent of plan.agents) {
    const target = parseTarget(agent.target);
    if ('problem' in target || target.engine === 'file') continue;
    yield error('fio', `needs files, and the target ${agent.target} has none`);
    break;
  }
  for (const [key, message] of idle(stage)) yield { ...error(key, message), level: 'warning' };
}

/** What fio takes and does not heed. */
function* idle(stage: StagePlan): Generator<readonly [key: string, message: string]> {
  const engine = engineOf(stage.fio);
  if (stage.noatime) yield ['noatime', 'has no effect: fio has no such option'];
  if (stage.iodepth > 1 && !keepsDepth(engine)) {
    yield ['iodepth', `has no effect: fio's ${engine} does one operation at a time in each thread`];
  }
  if (stage.iodepth > 1 && engine === 'libaio' && !stage.direct) {
    yield [
      'iodepth',
      'has hardly any effect without direct: through the page cache the kernel does one operation of libaio at a time',
    ];
  }
  if (stage.direct && !bypassesCache(engine)) {
    yield ['direct', `has no effect: fio's ${engine} reads and writes the page cache`];
  }
  if (stage.fdatasync && stage.fsync === 'end') {
    yield ['fdatasync', 'has no effect: at the end of a stage fio calls fsync'];
  }
}
