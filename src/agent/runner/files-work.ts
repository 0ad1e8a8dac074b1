import type { Clock } from '../../shared/kernel/clock.js';
import type { DatasetAssignment } from '../../shared/model/assignment.js';
import type { Progress } from '../../shared/model/messages.js';
import { fileSizesOf } from './choosing/file-sizes.js';
import { Aborted } from './failure.js';
import { FileRanges } from './file-ranges.js';
import type { FilesJob } from './jobs.js';
import type { RunnerParts } from './runner-parts.js';
import type { RunControl } from './shared-memory.js';
import type { WorkerPool } from './worker-pool.js';

const chunkBytes = 16 * 1024 * 1024;
const largestChunk = 256;
const everyMs = 1_000;

export interface FilesWork {
  readonly kind: FilesJob['kind'];
  readonly dataset: DatasetAssignment;
  readonly listed: FileRanges;
  readonly salt: number;
  readonly owner: number;
  readonly refusesHoles: boolean;
  readonly threads: number;
  readonly pool: WorkerPool;
  readonly control: RunControl;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The first warning is logged. */
  readonly emit: RunnerParts['emit'];
  /** Once a second, and at the end. */
  readonly progress: (progress: Omit<Progress, 'phase'>) => void;
  /** Files that are done; called along with progress and at the end. What it throws ends the work. */
  readonly done: (files: FileRanges) => void;
}

export interface FilesDone {
  /** Made or removed. */
  readonly files: number;
  /** Written. */
  readonly bytes: number;
  /** When the first thread began: how long it takes to start is not up to the storage. */
  readonly beganNs: bigint;
}

/**
 * Makes, checks or removes the agent's own files with several workers.
 * @throws RunnerFailure of the first worker that failed, once all have stopped; Aborted
 */
export async function workOnFiles(work: FilesWork): Promise<FilesDone> {
  const { dataset, control, pool, clock, signal } = work;
  const total = dataset.own.to - dataset.own.from;
  const bytesTotal = fileSizesOf(dataset).sum(dataset.own.from, dataset.own.to);
  const threads = Math.max(1, Math.min(work.threads, total));
  const cells = Array.from({ length: threads }, () => new Float64Array(new SharedArrayBuffer(24)));
  const finished = new FileRanges();
  control.reset();

  let problem: Error | undefined;
  let hasWarned = false;
  let beganNs: bigint | undefined;
  const report = (): void => {
    try {
      work.done(finished);
    } catch (error) {
      problem ??= asError(error);
      control.stop();
    }
    work.progress({
      filesDone: sum(cells, 0),
      filesTotal: total,
      bytesDone: sum(cells, 1),
      bytesTotal: work.kind === 'make' ? bytesTotal : 0,
    });
  };
  let cancel = (): void => undefined;
  const everySecond = (): void => {
    cancel = clock.after(everyMs, () => {
      report();
      everySecond();
    });
  };
  everySecond();
  const stop = (): void => {
    control.stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();

  const perChunk = Math.ceil((chunkBytes * total) / Math.max(1, bytesTotal));
  const jobs = cells.map((progress, worker) =>
    pool.carryOut(
      worker,
      {
        kind: work.kind,
        dataset,
        listed: work.listed.toArray(),
        filesPerChunk: Math.max(1, Math.min(perChunk, largestChunk)),
        salt: work.salt,
        worker,
        workers: threads,
        owner: work.owner,
        refusesHoles: work.refusesHoles,
        control: control.buffer,
        progress: progress.buffer,
      },
      (event) => {
        if (event.kind === 'filesBegin') beganNs ??= clock.nowNs();
        else if (event.kind === 'files') finished.add(event.from, event.to);
        else if (event.kind === 'warning' && !hasWarned) {
          hasWarned = true;
          work.emit({ kind: 'log', level: 'warn', line: event.line });
        }
      },
    ),
  );
  try {
    await Promise.all(
      jobs.map((job) =>
        job.catch((error: unknown) => {
          control.stop();
          throw error;
        }),
      ),
    );
  } catch (error) {
    problem = asError(error);
    await Promise.allSettled(jobs);
  }
  cancel();
  signal.removeEventListener('abort', stop);
  report();
  if (problem !== undefined) throw problem;
  if (signal.aborted) throw new Aborted();
  return { files: sum(cells, 2), bytes: sum(cells, 1), beganNs: beganNs ?? clock.nowNs() };
}

function sum(cells: readonly Float64Array[], index: number): number {
  return cells.reduce((total, cell) => total + (cell[index] ?? 0), 0);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
