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
  if (stage.noatime) {
    const message = 'has no effect: fio has no such option';
    yield { ...error('noatime', message), level: 'warning' };
  }
}
