import type { Timeouts } from '../../shared/model/plan.js';

/** What is known of an agent that did not confirm, in ms. */
export interface Unreached {
  /** Since anything last came from it. */
  readonly silentMs: number;
  /** Since its stream was lost; undefined: it is open as far as we know. */
  readonly lostForMs: number | undefined;
}

/** How much longer than the reconnect window an agent goes on after its stream closed. */
const afterWindowMs = 5000;
/** How much longer than the lease the workload process of an agent goes on that is itself frozen. */
const afterLeaseMs = 5000;
/** An agent speaks once a second, so it may have lived, and heard of us, so long after what we heard last. */
const heartbeatMs = 1000;

/**
 * Within what time the dead man's switch of an agent has ended its load, for a sentence (2-protocol §6): an agent whose
 * stream closed goes on for the reconnect window + 5 s, one whose stream is open (it is frozen, or the network swallows
 * everything) for the lease, its workload process 5 s longer. Whether the other end of a lost stream has closed is not
 * known here. Undefined: that time is over.
 */
export function stopsWithin(
  { silentMs, lostForMs }: Unreached,
  { leaseMs, reconnectWindowMs }: Timeouts,
): string | undefined {
  const openMs = leaseMs + afterLeaseMs + heartbeatMs - silentMs;
  const closedMs =
    lostForMs === undefined ? undefined : reconnectWindowMs + afterWindowMs - lostForMs;
  if (Math.max(openMs, closedMs ?? 0) <= 0) return undefined;
  if (closedMs === undefined || closedMs <= 0) return atMost(openMs);
  if (openMs <= closedMs) return atMost(closedMs);
  return `${atMost(closedMs)} (${atMost(openMs)} if it has not seen the connection break)`;
}

function atMost(ms: number): string {
  return `${String(Math.ceil(ms / 1000))}s`;
}
