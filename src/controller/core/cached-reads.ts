/** Reads that the hosts' memory may answer instead of the storage. */
import { meanSize } from '../../shared/model/sizes.js';
import { parseTarget } from '../../shared/model/target.js';
import { formatSize } from '../../shared/model/units.js';
import type { AgentPlan, Plan, StagePlan } from '../../shared/model/plan.js';

export interface AgentMemory {
  readonly plan: AgentPlan;
  /** Of its host; undefined when it did not say. */
  readonly memoryBytes: number | undefined;
}

/** What an agent's `host` facts say of its memory. */
export function memoryBytesOf(host: unknown): number | undefined {
  if (typeof host !== 'object' || host === null || !('memoryBytes' in host)) return undefined;
  return typeof host.memoryBytes === 'number' ? host.memoryBytes : undefined;
}

/** One sentence for every stage that reads through the page cache what fits into it. */
export function cachedReads(
  plan: Plan,
  stages: readonly StagePlan[],
  agents: readonly AgentMemory[],
): readonly string[] {
  const { files, fileSizes, fileSizeBytes, given } = plan.dataset;
  // How much is on existing files and devices only the agents know.
  if (given !== undefined) return [];
  const bytes = Math.round(meanSize(fileSizes ?? fileSizeBytes) * files);
  const fitting = agents.filter(
    (agent) => isStored(agent.plan) && agent.memoryBytes !== undefined && bytes < agent.memoryBytes,
  );
  if (fitting.length === 0) return [];
  const of = `${String(fitting.length)} of ${String(agents.length)} agents`;
  return stages
    .filter(readsThroughCache)
    .map(
      ({ name }) =>
        `stage ${name}: what it reads (${formatSize(bytes)}) fits into the memory of ${of}, and may come from there: use direct, or more data`,
    );
}

function isStored({ target }: AgentPlan): boolean {
  const parsed = parseTarget(target);
  return !('problem' in parsed) && parsed.engine === 'file';
}

function readsThroughCache({ mix, direct, fio }: StagePlan): boolean {
  const reads = mix.some(({ operation }) => operation === 'read' || operation === 'get');
  return reads && !direct && fio === undefined;
}
