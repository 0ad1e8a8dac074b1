import type { Clock } from '../../shared/kernel/clock.js';

/**
 * Waits for an instant of the clock, not earlier; the signal ends the wait at once.
 * @param atNs on the clock's own time
 */
export function waitUntil(
  clock: Clock,
  atNs: bigint,
  signal: AbortSignal,
): Promise<'reached' | 'cancelled'> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve('cancelled');
      return;
    }
    const leftMs = Number(atNs - clock.nowNs()) / 1e6;
    const cancel = clock.after(Math.max(0, leftMs), () => {
      signal.removeEventListener('abort', onAbort);
      resolve('reached');
    });
    const onAbort = (): void => {
      cancel();
      resolve('cancelled');
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
