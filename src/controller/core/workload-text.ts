/** What a stage was, as one would write it in a config: who reads a result need not look for that. */
import { inOneLine, stageAsConfig } from '../../shared/model/config/print-plan.js';
import type { OperationKind } from '../../shared/model/operation.js';
import type { AgentPlan, StagePlan } from '../../shared/model/plan.js';

/** Keys that say something about some operations only. */
const about: Readonly<Record<string, readonly OperationKind[]>> = {
  block_size: ['read', 'write', 'get', 'put'],
  access: ['read', 'write', 'get', 'stat', 'list'],
};

/** What a stage has that says nothing of it. */
const usual: Readonly<Record<string, unknown>> = { iodepth: 1, sync: 'none', fsync: 'never' };

const mostNamed = 5;

/** `mix: { read: 70, write: 30 }, block_size: 4KiB, access: random, threads: 4, direct: true, duration: 6s` */
export function workloadText(stage: StagePlan, agents: readonly AgentPlan[]): string {
  const does = (kinds: readonly OperationKind[]): boolean =>
    stage.mix.some(({ operation }) => kinds.includes(operation));
  return Object.entries(stageAsConfig(stage))
    .flatMap(([key, value]) => {
      const kinds = Object.hasOwn(about, key) ? about[key] : undefined;
      const isUsual = value === false || (Object.hasOwn(usual, key) && usual[key] === value);
      if (key === 'name' || isUsual || (kinds !== undefined && !does(kinds))) return [];
      return [`${key}: ${inOneLine(value)}${key === 'threads' ? own(agents) : ''}`];
    })
    .join(', ');
}

/** Agents with a number of threads of their own. */
function own(agents: readonly AgentPlan[]): string {
  const named = agents.flatMap(({ id, threads }) =>
    threads === undefined ? [] : [`${id}: ${String(threads)}`],
  );
  if (named.length === 0) return '';
  const more = named.length - mostNamed;
  return ` (${named.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${String(more)} more` : ''})`;
}
