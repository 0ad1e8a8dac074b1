import type { AgentStatus, RunSnapshot } from '../core/snapshot.js';
import { duration } from './format.js';

/** Silences shorter than this are everyday life (2-protocol §5). */
const silentMs = 3000;
/** Operations in flight for longer look like stalled storage (2-protocol §5). */
const stalledMs = 10_000;
/** A round trip or a message of such an age is worth a look (RUN-04). */
const slowLinkMs = 1000;

export interface Health {
  /** 0 well, 1 worth a look, 2 in trouble, 3 lost. */
  readonly grade: 0 | 1 | 2 | 3;
  /** Why, in a few words; empty when well. */
  readonly note: string;
}

/** How an agent does, the gravest first. */
export function agentHealth(agent: AgentStatus, { status }: RunSnapshot): Health {
  // Whose it is stands before it.
  const why = (agent.note ?? '')
    .replace(`Agent ${agent.id} failed: `, '')
    .replace(`Agent ${agent.id} `, '');
  if (agent.state === 'FAILED') return { grade: 3, note: why };
  if (agent.state === 'ABORTED') return { grade: status.phase === 'aborting' ? 0 : 3, note: why };
  if (agent.link === 'HUNG') return { grade: 3, note: why };
  if (agent.link === 'DISCONNECTED') return { grade: 2, note: why };
  const silent = agent.link === 'CONNECTED' && agent.silentMs >= silentMs;
  if (silent) return { grade: 2, note: `silent ${ago(agent.silentMs)}` };
  if ((agent.runnerSilentMs ?? 0) >= silentMs) {
    return { grade: 2, note: `runner silent ${ago(agent.runnerSilentMs ?? 0)}` };
  }
  if (agent.inFlight > 0 && agent.oldestInFlightMs >= stalledMs) {
    const note = `${String(agent.inFlight)} in flight, oldest ${ago(agent.oldestInFlightMs)}`;
    return { grade: 1, note };
  }
  if ((agent.latencyMs ?? 0) >= slowLinkMs) {
    return { grade: 1, note: `slow link, message latency ${ago(agent.latencyMs ?? 0)}` };
  }
  return { grade: 0, note: why };
}

function ago(ms: number): string {
  return duration(ms * 1e6);
}
