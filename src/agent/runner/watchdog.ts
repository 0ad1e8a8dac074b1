/**
 * No load without a living owner, even when the runner's main thread is stuck in a system call: a thread of its own
 * ends the process when the lease is over or the parent process is gone.
 */
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { ClockBase } from './clock-base.js';

const lookEveryMs = 1_000;

interface WatchdogData {
  readonly buffer: SharedArrayBuffer;
  readonly baseSeconds: number;
}

export class Watchdog {
  readonly #changes: Int32Array;
  readonly #untilNs: Float64Array;

  constructor(base: ClockBase, untilNs: number) {
    const buffer = new SharedArrayBuffer(16);
    this.#changes = new Int32Array(buffer, 0, 1);
    this.#untilNs = new Float64Array(buffer, 8, 1);
    this.#untilNs[0] = untilNs;
    const data: WatchdogData = { buffer, baseSeconds: base.seconds };
    new Worker(new URL('./watchdog.js', import.meta.url), { workerData: data }).unref();
  }

  /** The process lives until this instant, ns after the clock base. */
  extend(untilNs: number): void {
    this.#untilNs[0] = untilNs;
    Atomics.add(this.#changes, 0, 1);
    Atomics.notify(this.#changes, 0);
  }
}

function watch({ buffer, baseSeconds }: WatchdogData): never {
  const clock = new ClockBase(baseSeconds);
  const changes = new Int32Array(buffer, 0, 1);
  const untilNs = new Float64Array(buffer, 8, 1);
  const parent = process.ppid;
  for (;;) {
    const seen = Atomics.load(changes, 0);
    const leftMs = ((untilNs[0] ?? 0) - clock.now()) / 1e6;
    // SIGKILL, because an ordinary exit waits for threads that are stuck in a system call.
    if (leftMs <= 0 || process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
    Atomics.wait(changes, 0, seen, Math.max(0, Math.min(leftMs, lookEveryMs)));
  }
}

if (!isMainThread) watch(workerData as WatchdogData);
