import { availableParallelism } from 'node:os';
import { Aborted } from './failure.js';
import type { RunnerParts } from './runner-parts.js';

const progressEveryMs = 1_000;

export interface StartedThread {
  /** Started and compiled. */
  readonly warm: Promise<unknown>;
  /** What it works on is open. */
  readonly open: Promise<unknown>;
}

/**
 * Starts threads, as many at a time as there are cores: compiling is work of the CPU, and all at once only get in each
 * other's way. Nobody's turn waits for the opening, which is up to the storage. How far it is, is said once a second.
 * @throws the first failure; Aborted
 */
export async function startInTurns<Thread extends StartedThread>(
  { clock, emit, signal }: Pick<RunnerParts, 'clock' | 'emit' | 'signal'>,
  count: number,
  start: (index: number) => Thread,
): Promise<readonly Thread[]> {
  const atOnce = availableParallelism();
  const threads: Promise<Thread>[] = [];
  const startOne = async (index: number): Promise<Thread> => {
    await (
      await threads[index - atOnce]
    )?.warm;
    if (signal.aborted) throw new Aborted();
    return start(index);
  };
  for (let index = 0; index < count; index++) threads.push(startOne(index));
  let warm = 0;
  let open = 0;
  const all = threads.map(async (one) => {
    const thread = await one;
    await Promise.all([thread.warm.then(() => warm++), thread.open.then(() => open++)]);
    return thread;
  });
  let cancel = (): void => undefined;
  const everySecond = (): void => {
    const now =
      warm < count
        ? ({ phase: 'threads', filesDone: warm } as const)
        : ({ phase: 'stage', filesDone: open } as const);
    emit({ kind: 'progress', ...now, filesTotal: count, bytesDone: 0, bytesTotal: 0 });
    cancel = clock.after(progressEveryMs, everySecond);
  };
  everySecond();
  try {
    return await Promise.all(all);
  } finally {
    cancel();
  }
}
