/** `--agents` and `--embedded`: who takes part, whatever the config says. */
import { MusterError } from '../../shared/kernel/errors.js';
import { exitCodes } from '../../shared/model/outcome.js';
import { embeddedAgents, resolveAgents } from './resolve-agents.js';
import type { Config } from '../../shared/model/config/schema.js';
import type { PlanSource } from './plan-source.js';
import type { ResolvedAgents } from './resolve-agents.js';

export interface AgentFlags {
  /** The config's data with the agents of the command line. */
  readonly data: unknown;
  /** The flag, as the place of problems with it. */
  readonly name: string | undefined;
  readonly embedded: number | undefined;
}

const mostEmbedded = 64;

export function agentFlags(source: PlanSource, data: unknown): AgentFlags {
  const { agentsOverride: agents, embedded } = source;
  if (agents === undefined && embedded === undefined) {
    return { data, name: undefined, embedded };
  }
  if (agents !== undefined && embedded !== undefined) {
    throw usage('--agents and --embedded exclude each other');
  }
  if (embedded !== undefined) {
    if (!Number.isInteger(embedded) || embedded < 1 || embedded > mostEmbedded) {
      throw usage(`--embedded must be a number from 1 to ${String(mostEmbedded)}`);
    }
    if (source.sets?.some((set) => /^\s*agents\b/.test(set)) === true) {
      throw usage(
        '--set agents… has no meaning with --embedded, which replaces the list of agents',
      );
    }
  }
  const name = agents === undefined ? '--embedded' : `--agents ${agents.join(',')}`;
  if (typeof data !== 'object' || data === null) return { data, name, embedded };
  const { agents: _replaced, ...rest } = data as { readonly agents?: unknown };
  return { data: agents === undefined ? rest : { ...rest, agents }, name, embedded };
}

function usage(message: string): MusterError {
  return new MusterError(message, { exitCode: exitCodes.usage });
}

/** No agents anywhere: one inside the controller. */
export function listAgents(config: Config, embedded: number | undefined): ResolvedAgents {
  if (embedded !== undefined || config.agents === undefined) return embeddedAgents(embedded ?? 1);
  return resolveAgents(config.agents);
}
