import type { Interval } from '../../shared/model/messages.js';

/** At and above this share of the time a host or a worker has nothing left to give. */
const saturated = 0.95;
/** Fewer intervals say nothing. */
const leastIntervals = 3;

/** How busy the load generator was, over the intervals of one stage. */
export class CpuUse {
  #intervals = 0;
  #hostSaturated = 0;
  #host = 0;
  #runner = 0;

  add(interval: Pick<Interval, 'hostCpu' | 'runnerCpu'>): void {
    this.#intervals += 1;
    this.#host += interval.hostCpu;
    this.#runner += interval.runnerCpu;
    if (interval.hostCpu >= saturated) this.#hostSaturated += 1;
  }

  /** Mean share of all CPUs of the host, 0 … 1. */
  get host(): number {
    return this.#intervals === 0 ? 0 : this.#host / this.#intervals;
  }

  /** Mean CPU seconds per second of the workload process. */
  get runner(): number {
    return this.#intervals === 0 ? 0 : this.#runner / this.#intervals;
  }

  /** The host's CPUs were the limit in most intervals, so storage may not have been. */
  get generatorBound(): boolean {
    return this.#intervals >= leastIntervals && this.#hostSaturated * 2 > this.#intervals;
  }
}
