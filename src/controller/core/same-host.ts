/** Agents that run on one host, and what comes of it. */
import { writes } from '../../shared/model/assignment.js';
import type { Plan, StagePlan } from '../../shared/model/plan.js';
import { enumerated } from './one-sentence.js';
import type { AgentTrack } from './stage-track.js';

/** For agents that all write to all of a file that is there already. */
export const partRemedy =
  'give each its own ({agent} or {index} in the path), or its part (namespace: shared)';

/** Agents whose hosts have the same boot id, in groups of two and more. */
export function sameHost(
  agents: readonly Pick<AgentTrack, 'bootId' | 'plan'>[],
): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const { bootId, plan } of agents) {
    if (bootId === undefined || bootId === '') continue;
    const group = groups.get(bootId);
    if (group) group.push(plan.id);
    else groups.set(bootId, [plan.id]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/** One sentence for each group of `sameHost`, and one more where a stage has all of one write to the same existing file. */
export function sameHostWarnings(
  plan: Plan,
  stages: readonly StagePlan[],
  groups: readonly (readonly string[])[],
): readonly string[] {
  const file = writes(stages) ? commonFile(plan) : undefined;
  return groups.flatMap((ids) => {
    const who = `agents ${enumerated(ids)}`;
    const line = `${who} run on the same host`;
    if (file === undefined) return [line];
    return [line, `${who} all write to all of ${file}, on the same host: ${partRemedy}`];
  });
}

/**
 * A file that is there already and that is every agent's, all of it; undefined when there is none. On hosts of their
 * own the agents have files of their own under that name. A device lets only one agent have it, and needs no warning.
 */
function commonFile({ dataset, namespace }: Plan): string | undefined {
  const { given } = dataset;
  if (given?.kind !== 'existing' || namespace === 'shared') return undefined;
  return given.paths.find((path) => !/\{(?:agent|index)\}/u.test(path));
}
