import { PerformanceObserver } from 'node:perf_hooks';

/** How long this thread's garbage collections took since the last look. */
export class GcTime {
  #ms = 0;

  constructor() {
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#ms += duration;
    });
    observer.observe({ entryTypes: ['gc'] });
  }

  /** Nanoseconds. */
  take(): number {
    const ns = Math.round(this.#ms * 1e6);
    this.#ms = 0;
    return ns;
  }
}
