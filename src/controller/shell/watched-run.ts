import { readClock } from '../../shared/kernel/clock.js';
import { once } from '../../shared/kernel/once.js';
import type { CommandIo } from '../commands/command-io.js';
import type { RunEnd } from '../core/run-io.js';
import type { Run } from '../core/run.js';
import type { RunView } from '../view/run-view.js';
import type { Interrupts } from './interrupts.js';
import type { RunDriver } from './run-driver.js';
import type { RunResults } from './run-results.js';

const viewEveryMs = 500;

interface Watched {
  readonly run: Pick<Run, 'snapshot'>;
  readonly driver: Pick<RunDriver, 'drive' | 'feed' | 'leave'>;
  readonly results: { readonly aggregate: Pick<RunResults['aggregate'], 'live'> };
  readonly view: Pick<RunView, 'update' | 'close'>;
  readonly began: number;
}

/** Drives the run with the view kept fresh and signals heeded; 'impatient' when a second Ctrl-C came. */
export async function watched(
  io: Pick<CommandIo, 'clock' | 'onStop'>,
  interrupts: Interrupts,
  { run, driver, results, view, began }: Watched,
): Promise<RunEnd | 'impatient'> {
  const { clock } = io;
  let shownAt = clock.nowMs();
  const show = (): void => {
    const now = clock.nowMs();
    const lateMs = Math.max(0, now - shownAt - viewEveryMs);
    shownAt = now;
    const live = once(() => results.aggregate.live());
    view.update({
      elapsedMs: now - began,
      lateMs,
      status: run.snapshot(readClock(clock)),
      get live() {
        return live();
      },
    });
    cancelShow = clock.after(viewEveryMs, show);
  };
  let cancelShow = clock.after(0, show);
  const impatient = new Promise<'impatient'>((resolve) => {
    interrupts.onSecond = () => {
      resolve('impatient');
    };
  });
  // A shell is left with its cursor and its line wrap.
  const offStop = io.onStop(() => {
    view.close();
  });
  try {
    const ended = driver.drive();
    interrupts.onFirst((signal) => {
      driver.feed({ kind: 'interrupt', signal });
    });
    const end = await Promise.race([ended, impatient]);
    if (end === 'impatient') await driver.leave('ended at once by the operator');
    return end;
  } finally {
    cancelShow();
    offStop();
  }
}
