import type { Clock } from '../kernel/clock.js';

export interface Limits {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Waits for `work`, but not beyond a deadline and not after an abort; leaves neither timer nor listener behind. */
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
    const stop = clock.after(timeoutMs, () => {
      finish('timeout');
    });
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
