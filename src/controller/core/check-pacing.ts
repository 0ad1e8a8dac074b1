/** What a stage says about its pace, against its operations and limits. */
import type { KeyPath } from '../../shared/model/config/path.js';
import type { OperationKind } from '../../shared/model/operation.js';
import { formatMeanRate, isConstant, meanRate } from '../../shared/model/pacing.js';
import type { Plan, StagePlan } from '../../shared/model/plan.js';
import { operationBytes } from '../../shared/model/split-plan.js';
import type { Finding } from './finding.js';
import { nounFor } from '../../shared/kernel/counted.js';

/** Those that a rate in bytes can be divided into: any other would be due together with its successor. */
const transfers: ReadonlySet<OperationKind> = new Set(['read', 'write', 'get', 'put']);

export function* checkPacing(plan: Plan, stage: StagePlan, path: KeyPath): Generator<Finding> {
  const kinds = stage.mix.map(({ operation }) => operation);
  for (const operation of stage.stopOn.filter((kind) => !kinds.includes(kind))) {
    const message = `has no effect: the stage does no ${operation}`;
    yield { level: 'warning', path: [...path, 'error_policy'], message };
  }
  if (stage.rate === undefined) {
    if (stage.arrival !== 'constant') {
      const message = 'has no effect without a rate';
      yield { level: 'warning', path: [...path, 'arrival'], message };
    }
    return;
  }
  const { rate, durationMs } = stage;
  const error = (message: string): Finding => ({
    level: 'error',
    path: [...path, 'rate'],
    about: [path],
    message,
  });
  if (stage.thinkTimeNs > 0) {
    yield error('does not go with think_time: operations follow either a schedule or each other');
  }
  if (!isConstant(rate) && durationMs === undefined) {
    yield error('changes over the duration of the stage; give it a duration');
  }
  const bytes = operationBytes(plan, stage);
  if (rate.unit === 'bytes' && bytes === 0) {
    yield error('is in bytes, but the operations of this stage move none; write it like 1000/s');
    return;
  }
  const still = kinds.filter((kind) => !transfers.has(kind));
  if (rate.unit === 'bytes' && still.length > 0) {
    const which = `${still.join(', ')} ${nounFor(still.length, 'moves', 'move')}`;
    yield error(`is in bytes, but ${which} none; write it like 1000/s`);
    return;
  }
  const operations = ((durationMs ?? Infinity) / 1000) * meanRate(rate);
  const most = rate.unit === 'bytes' ? operations / bytes : operations;
  if (most < 1) {
    const slow = formatMeanRate(meanRate(rate), rate.unit);
    yield error(`${slow} is less than one operation in the whole stage: nothing would be done`);
  }
}
