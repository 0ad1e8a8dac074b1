import type { Arrival, Rate } from '../../../shared/model/pacing.js';
import { Random } from '../choosing/random.js';
import { RateCourse } from '../../../shared/model/rate-course.js';

export interface ScheduleOptions {
  readonly rate: Rate;
  readonly arrival: Arrival;
  /** Of the measured part; Infinity without one. */
  readonly durationNs: number;
  /** Ns from the load's begin (T0) to the measured part's. */
  readonly warmupNs: number;
  /** This lane's place among all of the run, 0 … 1: evenly spaced operations of all lanes together are evenly spaced. */
  readonly phase: number;
  /** What part of the run's rate is this lane's. */
  readonly share: number;
  /** Bytes of one operation on average: what lies between two operations of a rate in bytes. */
  readonly meanBytes: number;
  /** For Poisson: seed, stage, agent, lane. */
  readonly keys: readonly number[];
}

/** Keeps the draws of arrivals apart from those of the operations, which have the same keys. */
const arrivalKey = 0x61727276;

/**
 * When the operations of one lane are due. A schedule that could not be kept stays as it is: the next one follows it
 * and not the present, so a stalled target finds all the operations it has held up.
 */
export class Schedule {
  readonly #course: RateCourse;
  readonly #random: Random | undefined;
  readonly #isBytes: boolean = false;
  readonly #meanBytes: number = 0.5;
  /** Ns of one unit of work while the rate is constant; 0: the course has to be asked. */
  #unitNs = 0.5;
  readonly #wholeUnitNs: number = 0.5;
  #share = 0.5;
  #dueNs = 0.5;

  constructor(options: ScheduleOptions) {
    const { rate, arrival, share, phase } = options;
    const isFlat = rate.steps.length === 1 && rate.steps[0]?.from === rate.steps[0]?.to;
    this.#course = new RateCourse(rate, isFlat ? Infinity : options.durationNs);
    this.#random = arrival === 'poisson' ? new Random([...options.keys, arrivalKey]) : undefined;
    this.#isBytes = rate.unit === 'bytes';
    this.#meanBytes = options.meanBytes;
    this.#share = share;
    this.#wholeUnitNs = isFlat ? 1e9 / (rate.steps[0]?.from ?? 1) : 0;
    this.#unitNs = this.#wholeUnitNs / share;
    this.#dueNs = -options.warmupNs;
    const first = this.#isBytes ? this.#meanBytes : 1;
    this.#dueNs = this.#after(this.#random === undefined ? first * phase : first * this.#gap());
  }

  /** When the next operation is due, ns after the measured part's begin. */
  get dueNs(): number {
    return this.#dueNs;
  }

  /** The operation that was due has been taken: the next one is due after it. @param bytes that it moves */
  advance(bytes: number): void {
    const work = this.#isBytes ? bytes : 1;
    this.#dueNs = this.#after(this.#random === undefined ? work : work * this.#gap());
  }

  /** From the next operation on, this is the lane's part of the rate. */
  reshare(share: number): void {
    this.#share = share;
    this.#unitNs = this.#wholeUnitNs / share;
  }

  /** Operations that are due from now on until `untilNs` (excluded), as expected of a Poisson process. */
  dueUntil(untilNs: number): number {
    if (this.#dueNs >= untilNs) return 0;
    const work = this.#course.between(this.#dueNs, untilNs) * this.#share;
    // A whole number but for the rounding of the division: the last one is not due any more.
    const operations = work / (this.#isBytes ? Math.max(1, this.#meanBytes) : 1);
    return Math.max(1, Math.ceil(operations - 1e-6));
  }

  #after(work: number): number {
    if (this.#unitNs !== 0) return this.#dueNs + work * this.#unitNs;
    return this.#course.after(this.#dueNs, work, this.#share);
  }

  /** Exponential with mean 1; 32 random bits, the half keeps the logarithm finite. */
  #gap(): number {
    return -Math.log(((this.#random?.next() ?? 0) + 0.5) * 2 ** -32);
  }
}
