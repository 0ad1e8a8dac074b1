import type { AgentState } from '../../shared/model/agent-state.js';
import { protocolVersion } from '../../shared/model/messages.js';
import type { Owner, RefusalCode } from '../../shared/model/messages.js';
import type { Open } from './session-io.js';

/** Whose run the agent works for, and which of its streams is the newest. */
export interface Ownership {
  readonly owner: Owner;
  readonly secret: string;
  readonly generation: number;
  readonly state: AgentState;
  /** When the run leaves the agent unless its controller comes back; undefined: it is connected. */
  readonly goneAtMs: number | undefined;
  /** From when another run may have the agent for the asking; undefined: the run is not over, or its stream is there. */
  readonly yieldsAtMs: number | undefined;
  /** When the run came, if it came with --steal. */
  readonly stoleAtMs: number | undefined;
}

/** A run that the agent had, and why it has it no more. */
export interface Departure {
  readonly runId: string;
  readonly secret: string;
  readonly reason: string;
  readonly unixMs: number;
}

export type Verdict =
  | { readonly kind: 'fresh' }
  /** The same run on a newer stream. */
  | { readonly kind: 'resume' }
  | { readonly kind: 'steal'; readonly from: Owner }
  /** From a run that is over, and whose controller will hardly come back. */
  | { readonly kind: 'inherit'; readonly from: Owner }
  | {
      readonly kind: 'refuse';
      readonly code: RefusalCode;
      readonly message: string;
      readonly owner: Owner | undefined;
    };

/** What keeps a free agent from taking a run. */
export interface Obstacles {
  readonly stopping: boolean;
  /** A workload process that outlived SIGKILL. */
  readonly stuckRunner: boolean;
}

/**
 * Of runs that are started with --steal at about the same time each would take agents from the others and lose its own
 * to them. So for this long one that stole an agent loses it only to a run with a higher id: all agents decide alike, and
 * one run goes on.
 */
const contestMs = 10_000;

/** Decides about a stream that asks to come in; changes nothing. */
export function admit(
  open: Open,
  current: Ownership | undefined,
  obstacles: Obstacles,
  departed: readonly Departure[],
  nowMs: number,
): Verdict {
  const owner = current?.owner;
  const refuse = (code: RefusalCode, message: string): Verdict => {
    return { kind: 'refuse', code, message, owner };
  };
  if (open.protocol !== protocolVersion) {
    return refuse(
      'protocol',
      `protocol ${String(open.protocol)} is not spoken here, this agent speaks ${String(protocolVersion)}`,
    );
  }
  if (current && open.runId === current.owner.runId) {
    if (open.secret !== current.secret) {
      return refuse('secret', `the secret of run ${open.runId} is another one`);
    }
    if (open.generation <= current.generation) {
      const newest = String(current.generation);
      return refuse('protocol', `stream ${String(open.generation)} is not newer than ${newest}`);
    }
    return { kind: 'resume' };
  }
  const left = departed.find(({ runId, secret }) => runId === open.runId && secret === open.secret);
  if (left && open.generation > 1) {
    return refuse(
      'secret',
      `it let go of run ${left.runId} at ${timeOfDay(left.unixMs)} UTC: ${left.reason}`,
    );
  }
  // Of an agent that nothing has come from, the first stream may have broken before its Confirm was here.
  const hasHeard = open.received > 0n || open.held.length > 0;
  if (!current && open.generation > 1 && hasHeard) {
    return refuse('secret', `run ${open.runId} is not known here (was the agent restarted?)`);
  }
  if (obstacles.stopping) return refuse('stopping', 'the agent is being stopped');
  const yields = current?.yieldsAtMs !== undefined && nowMs >= current.yieldsAtMs;
  if (current && !yields) {
    if (!open.steal) return refuse('busy', busyText(current, nowMs));
    const contestedMs = nowMs - (current.stoleAtMs ?? -Infinity);
    if (contestedMs < contestMs && open.runId < current.owner.runId) {
      return refuse('busy', contestText(current, contestedMs));
    }
  }
  if (obstacles.stuckRunner) {
    return refuse(
      'busy',
      'busy: the workload process of an earlier run cannot be killed (stuck in the kernel, a hung mount?)',
    );
  }
  if (!current) return { kind: 'fresh' };
  return { kind: yields ? 'inherit' : 'steal', from: current.owner };
}

function contestText({ owner }: Ownership, contestedMs: number): string {
  const agoS = Math.floor(contestedMs / 1000);
  const waitS = Math.ceil((contestMs - contestedMs) / 1000);
  const taken = `run ${owner.runId} of ${owner.identity} took the agent with --steal ${String(agoS)}s ago`;
  return `busy: ${taken}; of runs that steal at the same time one goes on, and who still wants the agent may take it in ${String(waitS)}s`;
}

function busyText({ owner, state, goneAtMs }: Ownership, nowMs: number): string {
  const since = timeOfDay(owner.sinceUnixMs);
  const busy = `busy: run ${owner.runId} of ${owner.identity} since ${since} UTC, ${state}`;
  if (goneAtMs === undefined) return busy;
  const leftS = Math.ceil((goneAtMs - nowMs) / 1000);
  const until =
    leftS > 0 ? `loses the agent in ${String(leftS)}s` : 'has lost it: its load is stopped';
  return `${busy}; its controller is not connected, and ${until}`;
}

function timeOfDay(unixMs: number): string {
  const minutes = Math.floor(unixMs / 60_000) % (24 * 60);
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  return `${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
}
