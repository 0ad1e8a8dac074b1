import { Worker } from 'node:worker_threads';
import { RunnerFailure } from './failure.js';
import { homelessFailure } from './homeless.js';
import type { Job, WorkerEvent } from './jobs.js';

type Last = Extract<WorkerEvent, { kind: 'filesDone' | 'stageDone' | 'alarmsDone' }>;

/**
 * The runner's worker threads, kept over the stages. A worker that is stuck in a system call stays busy for ever; the
 * process has to be killed to get rid of it.
 */
export class WorkerPool {
  readonly #workers: Worker[] = [];
  readonly #onBug: (error: unknown) => void;
  readonly #graceOver: Promise<never>;
  readonly #priority: number;

  /**
   * @param onBug what a worker threw without having foreseen it
   * @param priority of the workers (nice value); the calling thread may have a better one
   * @param graceOver rejects with Aborted when workers that do not stop are no longer waited for
   */
  constructor(onBug: (error: unknown) => void, priority: number, graceOver: Promise<never>) {
    this.#priority = priority;
    this.#onBug = onBug;
    this.#graceOver = graceOver;
  }

  /**
   * Gives a job to worker `index`, which must be idle.
   * @returns its last word. @throws RunnerFailure when the job failed, Aborted when the grace is over
   */
  carryOut(index: number, job: Job, hear: (event: WorkerEvent) => void): Promise<Last> {
    const worker = this.#worker(index);
    const done = new Promise<Last>((resolve, reject) => {
      const end = (): void => {
        worker.off('message', listen);
        worker.off('error', lost);
      };
      const lost = (error: unknown): void => {
        const failure = homelessFailure(error);
        if (failure) reject(failure);
      };
      const listen = (event: WorkerEvent): void => {
        switch (event.kind) {
          case 'filesDone':
          case 'alarmsDone':
          case 'stageDone':
            end();
            resolve(event);
            return;
          case 'failed':
            end();
            reject(new RunnerFailure(event.code, event.message));
            return;
          default:
            hear(event);
        }
      };
      worker.on('message', listen);
      worker.on('error', lost);
      worker.postMessage(job);
    });
    return Promise.race([done, this.#graceOver]);
  }

  #worker(index: number): Worker {
    let worker = this.#workers[index];
    if (worker === undefined) {
      worker = new Worker(new URL('./worker.js', import.meta.url), {
        workerData: { priority: this.#priority },
      });
      worker.on('error', (error) => {
        if (!homelessFailure(error)) this.#onBug(error);
      });
      worker.setMaxListeners(0);
      this.#workers[index] = worker;
    }
    return worker;
  }
}
