/** The `agents:` of a config as a plain list: ranges expanded, ids given, nobody twice. */
import { formatAddress, parseAgentAddresses } from '../../shared/wire/address.js';
import { embeddedAddress } from '../../shared/model/embedded.js';
import { MusterError } from '../../shared/kernel/errors.js';
import type { Config } from '../../shared/model/config/schema.js';
import type { KeyPath, Problem } from '../../shared/model/config/path.js';
import type { ListedAgent } from '../../shared/model/config/resolve.js';

export interface ResolvedAgents {
  readonly agents: readonly ListedAgent[];
  /** For each agent, the entry of `agents:` it comes from. */
  readonly entries: readonly number[];
  readonly problems: readonly Problem[];
}

export function embeddedAgents(count: number): ResolvedAgents {
  const agents = Array.from({ length: count }, (_, index) =>
    listed(index, embeddedAddress(index + 1), {}),
  );
  return { agents, entries: agents.map(() => 0), problems: [] };
}

type Entry = Exclude<NonNullable<Config['agents']>[number], string>;

export function resolveAgents(entries: NonNullable<Config['agents']>): ResolvedAgents {
  const agents: ListedAgent[] = [];
  const origins: number[] = [];
  const problems: Problem[] = [];
  for (const [index, entry] of entries.entries()) {
    const mapping: Partial<Entry> = typeof entry === 'string' ? {} : entry;
    const written = typeof entry === 'string' ? entry : entry.address;
    const path: KeyPath = ['agents', index, ...(typeof entry === 'string' ? [] : ['address'])];
    const addresses = expand(written, path, problems);
    if (mapping.id !== undefined && addresses.length > 1) {
      problems.push({
        path: ['agents', index, 'id'],
        message: `${String(addresses.length)} agents cannot have the same id; leave it out or list them one by one`,
      });
    }
    const settings = addresses.length > 1 ? { ...mapping, id: undefined } : mapping;
    for (const address of addresses) {
      agents.push(listed(agents.length, address, settings));
      origins.push(index);
    }
  }
  problems.push(...repeated(agents, origins));
  return { agents, entries: origins, problems };
}

function listed(index: number, address: string, entry: Partial<Entry>): ListedAgent {
  return {
    id: entry.id ?? `agent-${String(index + 1)}`,
    address,
    target: entry.target,
    threads: entry.threads,
    labels: entry.labels ?? {},
  };
}

function expand(written: string, path: KeyPath, problems: Problem[]): readonly string[] {
  try {
    return parseAgentAddresses(written).map(formatAddress);
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    problems.push({ path, message: [error.message, error.hint].join(' ').trim() });
    return [];
  }
}

/** [RUN-02] Two entries that reach the same agent are refused, as far as the config shows it. */
function repeated(agents: readonly ListedAgent[], origins: readonly number[]): Problem[] {
  const problems: Problem[] = [];
  const seen = { address: new Map<string, number>(), id: new Map<string, number>() };
  for (const [index, agent] of agents.entries()) {
    const origin = origins[index] ?? 0;
    for (const field of ['address', 'id'] as const) {
      const value = agent[field].toLowerCase();
      const first = seen[field].get(value);
      if (first === undefined) seen[field].set(value, origin);
      else {
        problems.push({
          path: ['agents', origin],
          message:
            field === 'address'
              ? `${agent.address} is listed twice (also in agents[${String(first)}]); one agent cannot take part twice`
              : `the id "${agent.id}" is given twice (also in agents[${String(first)}])`,
        });
      }
    }
  }
  return problems;
}
