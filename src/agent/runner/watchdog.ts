/**
 * No load without a living owner, even when the runner's main thread is stuck in a system call: a thread of its own
 * ends the process when the lease is over or the parent process is gone.
 */
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { ClockBase } from './clock-base.js';

const lookEveryMs = 1_000;

interface WatchdogData {
  readonly untilNs: Float64Array<SharedArrayBuffer>;
  readonly baseSeconds: number;
  readonly parent: number;
}

export class Watchdog {
  readonly #untilNs = new Float64Array(new SharedArrayBuffer(8));

  constructor(base: ClockBase, untilNs: number) {
    this.#untilNs[0] = untilNs;
    const { seconds: baseSeconds } = base;
    const data: WatchdogData = { untilNs: this.#untilNs, baseSeconds, parent: process.ppid };
    new Worker(new URL('./watchdog.js', import.meta.url), { workerData: data }).unref();
  }

  /** The process lives until this instant, ns after the clock base. */
  extend(untilNs: number): void {
    this.#untilNs[0] = untilNs;
  }
}

function watch({ untilNs, baseSeconds, parent }: WatchdogData): never {
  const clock = new ClockBase(baseSeconds);
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const leftMs = ((untilNs[0] ?? 0) - clock.now()) / 1e6;
    // SIGKILL, because an ordinary exit waits for threads that are stuck in a system call.
    if (leftMs <= 0 || process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
    Atomics.wait(nothing, 0, 0, Math.max(0, Math.min(leftMs, lookEveryMs)));
  }
}

if (!isMainThread) watch(workerData as WatchdogData);
