import type { Clock } from '../../shared/kernel/clock.js';
import type { ClockBase } from './clock-base.js';
import type { GivenFile } from './given-files.js';
import type { RunnerEvent } from './protocol.js';
import type { RunControl } from './shared-memory.js';
import type { WriteHistory } from './verify/write-history.js';
import type { WorkerPool } from './worker-pool.js';

/** What all parts of a runner work with. */
export interface RunnerParts {
  readonly clock: Clock;
  readonly base: ClockBase;
  readonly pool: WorkerPool;
  readonly control: RunControl;
  readonly emit: (event: RunnerEvent) => void;
  /** Fires when the run is aborted. */
  readonly signal: AbortSignal;
  /** Makes written content differ between runs. */
  readonly salt: number;
  /** The dataset, when it is files or devices that were there already. */
  readonly given: readonly GivenFile[] | undefined;
  /** By which runs may drop the page cache of the whole host; undefined when its operator does not let them. */
  readonly hostSwitch: string | undefined;
  /** What was written where; undefined when the dataset is not verified, or it cannot be known. */
  readonly writes: WriteHistory | undefined;
}
