/**
 * Offset between two monotonic clocks from request/reply probes, as NTP does it (RFC 5905 §8): t1 sent and t4 received
 * on the controller's clock, t2 received and t3 sent on the agent's. offset = ((t2-t1)+(t3-t4))/2, delay =
 * (t4-t1)-(t3-t2), and the true offset lies within ±delay/2 whatever the asymmetry of the path.
 */
import type { ClockEstimate } from './records.js';

export interface Probe {
  readonly t1Ns: bigint;
  readonly t2Ns: bigint;
  readonly t3Ns: bigint;
  readonly t4Ns: bigint;
  /** Agent's wall clock at t3, and the controller's guess of its own then is not kept: for the log only. */
  readonly wallOffsetMs: number;
}

/** The first probes of a set warm the path (connection, code) and are left out when others are there. */
const warmUpProbes = 2;

/** A reply that cannot be true: from a restarted clock, or damaged. */
export function isPlausible(probe: Probe): boolean {
  return probe.t4Ns >= probe.t1Ns && probe.t3Ns >= probe.t2Ns && delayOf(probe) >= 0n;
}

function delayOf(probe: Probe): bigint {
  return probe.t4Ns - probe.t1Ns - (probe.t3Ns - probe.t2Ns);
}

export function estimateOf(probe: Probe): ClockEstimate {
  const delay = delayOf(probe);
  return {
    offsetNs: (probe.t2Ns - probe.t1Ns + (probe.t3Ns - probe.t4Ns)) / 2n,
    // Half a nanosecond is lost in the division of the offset and up to one here: round up.
    boundNs: Number(delay / 2n) + 1,
    roundTripNs: Number(delay),
    wallOffsetMs: probe.wallOffsetMs,
  };
}

/** The estimate of the probe with the smallest delay; `dropFirst`: leave out the warm-up probes of a first set. */
export function bestEstimate(
  probes: readonly Probe[],
  dropFirst: boolean,
): ClockEstimate | undefined {
  const usable = probes.filter(isPlausible);
  const settled = dropFirst && usable.length > warmUpProbes ? usable.slice(warmUpProbes) : usable;
  let best: Probe | undefined;
  for (const probe of settled) {
    if (!best || delayOf(probe) < delayOf(best)) best = probe;
  }
  return best && estimateOf(best);
}
