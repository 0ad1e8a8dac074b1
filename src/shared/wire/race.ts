import { sleptMs } from '../kernel/clock.js';
import type { Cancel, Clock } from '../kernel/clock.js';

export interface Limits {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Waits for `work`, but not beyond a deadline and not after an abort; leaves neither timer nor listener behind. After a sleep
 * the timer fires before what came meanwhile is read, and nobody answered who was not asked: the wait begins anew.
 */
export async function race(
  work: Promise<unknown>,
  { clock, timeoutMs, signal }: Limits,
): Promise<'done' | 'timeout' | 'cancelled'> {
  if (signal.aborted) return 'cancelled';
  return new Promise((resolve, reject) => {
    const finish = (outcome: 'done' | 'timeout' | 'cancelled'): void => {
      stop();
      signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const onAbort = (): void => {
      finish('cancelled');
    };
    let stop: Cancel;
    const wait = (): void => {
      const dueMs = clock.nowMs() + timeoutMs;
      stop = clock.after(timeoutMs, () => {
        if (clock.nowMs() - dueMs > sleptMs) wait();
        else finish('timeout');
      });
    };
    wait();
    signal.addEventListener('abort', onAbort);
    work.then(
      () => {
        finish('done');
      },
      (error: unknown) => {
        stop();
        signal.removeEventListener('abort', onAbort);
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
