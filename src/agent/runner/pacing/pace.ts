import type { Schedule } from './schedule.js';

/** When a lane's next operation is to be issued. */
export interface Pace {
  /** Of the next operation, ns after the clock base. */
  readonly dueNs: number;
  /** The next operation has been chosen. @param bytes that it moves */
  taken(bytes: number): void;
  /** It has ended. */
  ended(atNs: number): void;
  /** Operations that are due and not taken until `untilNs`, ns after the clock base. */
  dueUntil(untilNs: number): number;
}

/** Open loop: whether or not the operations before have ended. */
export class ScheduledPace implements Pace {
  readonly #schedule: Schedule;
  readonly #originNs: number = 0.5;
  readonly #share: Float64Array;
  readonly #lanes: number = 0;
  #count = 0;

  /**
   * @param originNs the schedule's zero, ns after the clock base
   * @param share RunControl.share, which may change at any time
   */
  constructor(schedule: Schedule, originNs: number, share: Float64Array, lanes: number) {
    this.#schedule = schedule;
    this.#originNs = originNs;
    this.#share = share;
    this.#lanes = lanes;
    this.#count = this.#agents();
  }

  get dueNs(): number {
    return this.#originNs + this.#schedule.dueNs;
  }

  taken(bytes: number): void {
    const count = this.#agents();
    if (count !== this.#count) {
      this.#count = count;
      this.#schedule.reshare(1 / (count * this.#lanes));
    }
    this.#schedule.advance(bytes);
  }

  /** An integer to V8 as well, whatever compiled code reads it: the hot path would be compiled anew otherwise (Node 22). */
  #agents(): number {
    return (this.#share[1] ?? 1) | 0;
  }

  ended(): void {
    // The schedule waits for nobody.
  }

  dueUntil(untilNs: number): number {
    return this.#schedule.dueUntil(untilNs - this.#originNs);
  }
}

/** Closed loop with a pause after each operation, in every place of its own. */
export class ThinkTime implements Pace {
  readonly #pauseNs: number = 0.5;
  /** When the places that have thought may go on, in order: the pause is the same for all. A ring. */
  readonly #dues: Float64Array;
  #head = 0;
  #count = 0;

  /** @param free how many of the `places` can begin at `startNs` */
  constructor(startNs: number, pauseNs: number, places = 1, free = places) {
    this.#pauseNs = pauseNs;
    this.#dues = new Float64Array(places).fill(startNs);
    this.#count = free;
  }

  get dueNs(): number {
    return this.#count === 0 ? Infinity : (this.#dues[this.#head] ?? Infinity);
  }

  taken(): void {
    this.#head = (this.#head + 1) % this.#dues.length;
    this.#count--;
  }

  ended(atNs: number): void {
    this.#dues[(this.#head + this.#count++) % this.#dues.length] = atNs + this.#pauseNs;
  }

  dueUntil(): number {
    return 0;
  }
}
