import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { IntervalHistogram } from 'node:perf_hooks';
import { GcTime } from './gc-time.js';
import type { Cancel, Clock } from '../../shared/kernel/clock.js';
import type { Interval } from '../../shared/model/messages.js';
import type { ClockBase } from './clock-base.js';
import { CpuUsage } from './cpu-usage.js';
import type { Sampler } from './sampler.js';

const second = 1e9;
const loopPeriodNs = 20e6;

export interface IntervalParts {
  readonly stage: number;
  /** When second 0 begins, ns after the clock base. */
  readonly atNs: number;
  readonly sampler: Sampler;
  readonly clock: Clock;
  readonly base: ClockBase;
  readonly emit: (interval: Interval) => void;
}

/** Cuts a stage into intervals at T0 + k s and reports each when it is over. */
export class IntervalClock {
  readonly #parts: IntervalParts;
  readonly #cpu: CpuUsage;
  readonly #loop: IntervalHistogram;
  readonly #gc = new GcTime();
  #lateWakeUps = 0;
  /**
   * The longest that a second was noticed too late. What holds the process up from just before the end of a second is not
   * in the histogram: it is reset before its own timer comes, and forgets then when that was last.
   */
  #lateNs = 0;
  #cancel: Cancel = () => undefined;
  readonly #cancelBegin: Cancel;
  /** Number of the next interval to report. */
  #next = 0;

  constructor(parts: IntervalParts) {
    this.#parts = parts;
    this.#cpu = new CpuUsage(parts.base);
    this.#loop = monitorEventLoopDelay({ resolution: loopPeriodNs / 1e6 });
    this.#loop.enable();
    // What the warm-up took is not the first second's.
    const untilMs = Math.max(0, (parts.atNs - parts.base.now()) / 1e6);
    this.#cancelBegin = parts.clock.after(untilMs, () => {
      this.#cpu.look();
      this.#loop.reset();
      this.#gc.take();
      this.#lateNs = this.#lateness(0);
    });
    this.#arm();
  }

  /** How many intervals were reported. */
  get count(): number {
    return this.#next;
  }

  /** The last sample, of all buckets; reported when it holds anything, or when the stage was cut short. */
  finish(always: boolean): void {
    this.#cancelBegin();
    this.#cancel();
    this.#loop.disable();
    if (this.#parts.base.now() < this.#parts.atNs) return;
    this.#cut();
    this.#report(this.#next, Math.max(this.#next, this.#secondOf(this.#parts.base.now())), {
      everything: true,
      always,
    });
  }

  #arm(): void {
    const dueNs = this.#parts.atNs + (this.#next + 1) * second;
    const delayMs = Math.max(0, (dueNs - this.#parts.base.now()) / 1e6);
    this.#cancel = this.#parts.clock.after(delayMs, () => {
      this.#lateNs = Math.max(this.#lateNs, this.#lateness(this.#next + 1));
      this.#cut();
      this.#arm();
    });
  }

  /** Reports what is over: one interval, or several as one when the loop was late by more than a second. */
  #cut(): void {
    const over = this.#secondOf(this.#parts.base.now());
    if (over <= this.#next) return;
    this.#report(this.#next, over - 1, { everything: false, always: true });
  }

  #report(
    first: number,
    last: number,
    how: { readonly everything: boolean; readonly always: boolean },
  ): void {
    const { stage, atNs, sampler, base, emit } = this.#parts;
    const nowNs = base.now();
    const before = sampler.ended;
    const operations = sampler.sample(how.everything);
    if (!how.always && sampler.ended === before) return;
    this.#next = last + 1;
    const { count, oldestNs } = sampler.inFlight(nowNs);
    const { lateWakeUps } = sampler;
    const delayNs = this.#loopDelayNs();
    const interval = {
      stage,
      first,
      last,
      operations,
      inFlight: count,
      oldestInFlightNs: Math.round(oldestNs),
      sampledLateNs: Math.max(0, Math.round(nowNs - (atNs + (last + 1) * second))),
      ...this.#cpu.look(),
      runnerLoopDelayNs: delayNs,
      lateWakeUps: lateWakeUps - this.#lateWakeUps,
      runnerGcNs: this.#gc.take(),
      // The control process adds its own.
      controlLoopDelayNs: 0,
      controlGcNs: 0,
    };
    this.#lateWakeUps = lateWakeUps;
    emit(interval);
  }

  /** The longest since the last interval. */
  #loopDelayNs(): number {
    const { max } = this.#loop;
    // Its timer's own period is in every value.
    const seenNs = Number.isFinite(max) ? Math.max(0, max - loopPeriodNs) : 0;
    const delayNs = Math.round(Math.max(seenNs, this.#lateNs));
    this.#loop.reset();
    this.#lateNs = 0;
    return delayNs;
  }

  /** How long ago this second began. */
  #lateness(startOf: number): number {
    return Math.max(0, this.#parts.base.now() - (this.#parts.atNs + startOf * second));
  }

  #secondOf(nowNs: number): number {
    return Math.max(0, Math.floor((nowNs - this.#parts.atNs) / second));
  }
}
