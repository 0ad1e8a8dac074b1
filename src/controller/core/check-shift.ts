/** Stages that read a neighbour's data. */
import type { OperationKind } from '../../shared/model/operation.js';
import type { Plan, StagePlan } from '../../shared/model/plan.js';
import type { Finding } from './finding.js';
import { counted } from '../../shared/kernel/counted.js';

const looking: readonly OperationKind[] = ['read', 'get', 'stat', 'list'];

export function* checkShift(plan: Plan): Generator<Finding> {
  for (const stage of plan.stages) {
    if (stage.shift === undefined) continue;
    const message = problemOf(plan, stage, stage.shift);
    if (message === undefined) continue;
    yield { level: 'error', path: ['stages', stage.index, 'shift'], about: [['agents']], message };
  }
}

function problemOf(plan: Plan, stage: StagePlan, shift: number): string | undefined {
  const { agents, namespace, dataset } = plan;
  if (shift % agents.length === 0) {
    return `has no effect: with ${counted(agents.length, 'agent')} it leads back to the agent itself`;
  }
  const foreign = stage.mix
    .map(({ operation }) => operation)
    .filter((kind) => !looking.includes(kind));
  if (foreign.length > 0) return `a neighbour's data is only read, not ${foreign.join(', ')}`;
  if (stage.fio !== undefined) return 'fio reads the files of its own agent only';
  if (namespace === 'shared') {
    const isDivided =
      stage.access === 'sequential' ||
      stage.access === 'shuffled' ||
      (typeof stage.access === 'object' && 'strided' in stage.access);
    return isDivided
      ? undefined
      : 'has no effect: this access goes to all of the shared files; sequential, shuffled and strided have parts';
  }
  if (dataset.given !== undefined) return `dataset.${dataset.given.kind} is the agent's own`;
  return new Set(agents.map(({ target }) => target)).size > 1
    ? 'needs one target that all agents share; they have different ones'
    : undefined;
}
