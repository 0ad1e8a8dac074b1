import type { Clock } from '../../shared/kernel/clock.js';
import { waitUntil } from '../core/wait-until.js';
import { Aborted } from './failure.js';

/** How long what another agent has made may take to show: NFS caches names for up to a minute, most for 3 s. */
const patienceMs = 5_000;
const retryMs = 250;

/**
 * Looks until something is there that another agent has made.
 * @returns undefined when it does not show. @throws Aborted
 */
export async function awaitShown<T>(
  look: () => T | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<T | undefined> {
  const lastNs = clock.nowNs() + BigInt(patienceMs) * 1_000_000n;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    const nowNs = clock.nowNs();
    if (nowNs >= lastNs) return undefined;
    const outcome = await waitUntil(clock, nowNs + BigInt(retryMs) * 1_000_000n, signal);
    if (outcome === 'cancelled') throw new Aborted();
  }
}
