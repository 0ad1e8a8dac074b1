import type { Interval } from '../../shared/model/messages.js';

/** At and above this share of the time a host or a thread has nothing left to give. */
const saturated = 0.95;
/** Fewer intervals say nothing. */
const leastIntervals = 3;
/** Waking up late this often in a second is no accident. */
const lateWakeUpsPerSecond = 10;

/** What kept the load from being what was asked for, if not the storage. */
export type Bottleneck = 'host CPU' | 'thread CPU' | 'late wake-ups';

type Seen = Pick<
  Interval,
  | 'first'
  | 'last'
  | 'hostCpu'
  | 'runnerCpu'
  | 'busiestThreadCpu'
  | 'lateWakeUps'
  | 'runnerLoopDelayNs'
>;

/** How busy the load generator was in one stage. An interval of several seconds counts as often. */
export class CpuUse {
  readonly #openLoop: boolean;
  readonly #threads: number;
  #intervals = 0;
  #seconds = 0;
  #host = 0;
  #runner = 0;
  #busiest = 0;
  #standstillNs = 0;
  readonly #times: Record<Bottleneck, number> = {
    'host CPU': 0,
    'thread CPU': 0,
    'late wake-ups': 0,
  };

  /** @param threads that make the load on the agent */
  constructor(openLoop: boolean, threads: number) {
    this.#openLoop = openLoop;
    this.#threads = threads;
  }

  add(interval: Seen): void {
    const { hostCpu, runnerCpu, busiestThreadCpu, lateWakeUps } = interval;
    const seconds = interval.last - interval.first + 1;
    this.#intervals += 1;
    this.#seconds += seconds;
    this.#host += hostCpu * seconds;
    this.#runner += runnerCpu * seconds;
    this.#busiest += busiestThreadCpu * seconds;
    this.#standstillNs = Math.max(this.#standstillNs, interval.runnerLoopDelayNs);
    if (hostCpu >= saturated) this.#times['host CPU'] += seconds;
    // In open loop a thread that waits for its instant watches the clock: being busy means nothing there.
    const isBusy = !this.#openLoop && runnerCpu >= saturated * this.#threads;
    if (isBusy) this.#times['thread CPU'] += seconds;
    if (lateWakeUps >= lateWakeUpsPerSecond * seconds) this.#times['late wake-ups'] += seconds;
  }

  /** Mean share of all CPUs of the host, 0 … 1. */
  get host(): number {
    return this.#mean(this.#host);
  }

  /** Mean CPU seconds per second of the workload process. */
  get runner(): number {
    return this.#mean(this.#runner);
  }

  /** Mean share of the time that the workload's busiest thread was on a CPU, 0 … 1. */
  get busiestThread(): number {
    return this.#mean(this.#busiest);
  }

  /** The longest that the workload process did not get to run. */
  get standstillMs(): number {
    return Math.round(this.#standstillNs / 1e6);
  }

  /** What was the limit for most of the time instead of storage; undefined: nothing seen. */
  get bottleneck(): Bottleneck | undefined {
    if (this.#intervals < leastIntervals) return undefined;
    const all = Object.entries(this.#times) as [Bottleneck, number][];
    return all.find(([, times]) => times * 2 > this.#seconds)?.[0];
  }

  #mean(sum: number): number {
    return this.#seconds === 0 ? 0 : sum / this.#seconds;
  }
}
