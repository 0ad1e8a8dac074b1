/** Existing files that agents on hosts of their own all write, because they lie on a file system of the network. */
import { counted } from '../../shared/kernel/counted.js';
import { writes } from '../../shared/model/assignment.js';
import type { AgentPlan, Plan, StagePlan } from '../../shared/model/plan.js';
import { enumerated } from './one-sentence.js';
import { partRemedy } from './same-host.js';

export interface RemoteFiles {
  readonly plan: AgentPlan;
  readonly bootId: string | undefined;
  /** `remoteFilesOf` what the agent said. */
  readonly remoteFiles: readonly string[];
}

/** Whose mounts name no server, although every host sees the same files there. */
const clustered: ReadonlySet<string> = new Set(['beegfs', 'gpfs']);

/**
 * Those of an agent's existing files that lie on a file system of the network, as its `target` facts say:
 * `server:/export/a (nfs4)`, the same text on every host that has mounted it, whatever the mount point.
 */
export function remoteFilesOf(target: unknown): readonly string[] {
  if (typeof target !== 'object' || target === null || !('given' in target)) return [];
  if (!Array.isArray(target.given)) return [];
  return target.given.flatMap((one: unknown) => placeOf(one) ?? []);
}

/** One sentence for each group of agents that have such files in common. Agents on one host are told elsewhere. */
export function remoteFileWarnings(
  { dataset, namespace }: Plan,
  stages: readonly StagePlan[],
  agents: readonly RemoteFiles[],
): readonly string[] {
  const isEverybodys = dataset.given?.kind === 'existing' && namespace === 'private';
  if (!isEverybodys || !writes(stages)) return [];
  const owners = new Map<string, RemoteFiles[]>();
  for (const agent of agents) {
    for (const file of agent.remoteFiles) {
      const own = owners.get(file);
      if (own) own.push(agent);
      else owners.set(file, [agent]);
    }
  }
  const groups = new Map<string, string[]>();
  for (const [file, those] of owners) {
    const hosts = new Set(those.map(hostOf));
    if (hosts.size < 2) continue;
    const who = enumerated(those.map(({ plan }) => plan.id));
    groups.set(who, [...(groups.get(who) ?? []), file]);
  }
  return [...groups].map(([who, [first = '', ...others]]) => {
    const more = others.length === 0 ? '' : ` and ${counted(others.length, 'more file')}`;
    return `agents ${who} all write to all of ${first}${more}, on hosts of their own: ${partRemedy}`;
  });
}

/** One that does not say which host it is on is taken to be on one of its own. */
function hostOf({ bootId, plan }: RemoteFiles): string {
  return bootId === undefined || bootId === '' ? plan.id : bootId;
}

function placeOf(given: unknown): string | undefined {
  const mount = valueOf(given, 'mount');
  const [path, point, type, device] = [
    valueOf(given, 'path'),
    ...['point', 'type', 'device'].map((key) => valueOf(mount, key)),
  ].map((value) => (typeof value === 'string' ? value : undefined));
  if (path === undefined || point === undefined || type === undefined || device === undefined) {
    return undefined;
  }
  // `server:/export`, `mon1,mon2:/`, `mgs@tcp:/scratch`, `//server/share`.
  if (!/:\/|^\/\//u.test(device) && !clustered.has(type)) return undefined;
  const below = point === '/' ? path : path.slice(point.length);
  return `${device.replace(/\/$/u, '')}${below} (${type})`;
}

/** Facts are what an agent says: they may be anything. */
function valueOf(facts: unknown, key: string): unknown {
  return typeof facts === 'object' && facts !== null ? Reflect.get(facts, key) : undefined;
}
