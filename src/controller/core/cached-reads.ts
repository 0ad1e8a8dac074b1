/** Reads that the hosts' memory may answer instead of the storage. */
import { bypassesCache, engineOf } from '../../shared/model/fio-options.js';
import { meanSize } from '../../shared/model/sizes.js';
import { parseTarget } from '../../shared/model/target.js';
import { formatSize } from '../../shared/model/units.js';
import { enumerated } from './one-sentence.js';
import type { AgentPlan, Plan, StagePlan } from '../../shared/model/plan.js';
import { counted, nounFor } from '../../shared/kernel/counted.js';

export interface AgentMemory {
  readonly plan: AgentPlan;
  /** Of its host; undefined when it did not say. */
  readonly memoryBytes: number | undefined;
  /** Of its existing files or devices; undefined without them, or when it did not say. */
  readonly givenBytes: number | undefined;
}

/** What an agent's `host` facts say of its memory. */
export function memoryBytesOf(host: unknown): number | undefined {
  if (typeof host !== 'object' || host === null || !('memoryBytes' in host)) return undefined;
  return typeof host.memoryBytes === 'number' ? host.memoryBytes : undefined;
}

/** How much is on an agent's existing files or devices, as its `target` facts say; undefined when they do not. */
export function givenBytesOf(target: unknown): number | undefined {
  if (typeof target !== 'object' || target === null || !('given' in target)) return undefined;
  if (!Array.isArray(target.given)) return undefined;
  const sizes = target.given.map((one: unknown) =>
    typeof one === 'object' && one !== null && 'sizeBytes' in one ? Number(one.sizeBytes) : NaN,
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return Number.isFinite(bytes) ? bytes : undefined;
}

/** One sentence for all stages that read through the page cache what fits into it; none when no stage does. */
export function cachedReads(
  plan: Plan,
  stages: readonly StagePlan[],
  agents: readonly AgentMemory[],
): readonly string[] {
  const { files, fileSizes, fileSizeBytes, given } = plan.dataset;
  const made = Math.round(meanSize(fileSizes ?? fileSizeBytes) * files);
  const sizes = agents.flatMap(({ plan: agent, memoryBytes, givenBytes }) => {
    const bytes = given === undefined ? made : givenBytes;
    const fits = bytes !== undefined && memoryBytes !== undefined && bytes < memoryBytes;
    return fits && isStored(agent) ? [bytes] : [];
  });
  const { namespace } = plan;
  const all = made * (namespace === 'private' ? agents.length : 1);
  const cached = stages.filter((stage) => readsThroughCache(stage) && !readsOnce(stage, all));
  const names = cached.map(({ name }) => name);
  if (sizes.length === 0 || names.length === 0) return [];
  const largest = Math.max(...sizes);
  const size = `${sizes.some((bytes) => bytes < largest) ? 'up to ' : ''}${formatSize(largest)}`;
  const who = nounFor(names.length, 'stage');
  const what = nounFor(names.length, 'it reads', 'they read');
  return [
    `${who} ${enumerated(names)}: what ${what} (${size}) fits into the memory of ${String(sizes.length)} of ${counted(agents.length, 'agent')}, and may come from there: use direct, or more data`,
  ];
}

function isStored({ target }: AgentPlan): boolean {
  const parsed = parseTarget(target);
  return !('problem' in parsed) && parsed.engine === 'file';
}

function readsThroughCache({ mix, direct, fio }: StagePlan): boolean {
  const reads = mix.some(({ operation }) => operation === 'read' || operation === 'get');
  // fio drops a file's pages when it opens it: what it has read once it finds there again.
  const bypasses = direct && (fio === undefined || bypassesCache(engineOf(fio)));
  return reads && !bypasses;
}

/** Begins with an empty cache and comes to no block twice; of what is there already the size is not known here. */
function readsOnce({ dropCache, maxBytes, access }: StagePlan, all: number): boolean {
  const inOnePass = access === 'sequential' || access === 'shuffled' || isStrided(access);
  return dropCache && inOnePass && maxBytes !== undefined && maxBytes <= all;
}

const isStrided = (access: StagePlan['access']): boolean =>
  typeof access === 'object' && 'strided' in access;
