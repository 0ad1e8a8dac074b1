import type { ClockBase } from '../clock-base.js';
import { hrtime } from '../clock-base.js';
import { lateWakeUps } from '../lane-memory.js';
import { gateFlag, stopFlag } from '../shared-memory.js';

/** How long before an instant a thread stops sleeping and looks at the clock instead. */
export const spinNs = 30_000;
/** Waking up later than this says that the host had no CPU for the thread. */
export const lateNs = 1e6;

/**
 * Waits for instants: asleep until shortly before, then watching the clock, because waking up takes some 10 µs
 * (measured, with a timer slack of 1 ns). Wakes at once when the load is stopped.
 */
export class Waiter {
  readonly #baseSeconds: number = 0;
  readonly #flags: Int32Array;
  readonly #cells: Float64Array;
  readonly #spinNs: number = 0;

  /**
   * @param flags RunControl.flags
   * @param cells LaneMemory.cells
   * @param spin false where threads outnumber the CPUs: watching the clock would take the CPU from those that work
   */
  constructor(clock: ClockBase, flags: Int32Array, cells: Float64Array, spin: boolean) {
    this.#baseSeconds = clock.seconds;
    this.#flags = flags;
    this.#cells = cells;
    this.#spinNs = spin ? spinNs : 0;
  }

  /** @returns the present, at or after `untilNs` unless the load was stopped */
  until(untilNs: number): number {
    const flags = this.#flags;
    let slept = false;
    for (;;) {
      const time = hrtime();
      const nowNs = (time[0] - this.#baseSeconds) * 1e9 + time[1];
      const leftNs = untilNs - nowNs;
      if (leftNs <= 0) {
        if (slept && leftNs < -lateNs) this.#cells[lateWakeUps]!++;
        return nowNs;
      }
      if (leftNs <= this.#spinNs) continue;
      const gate = flags[gateFlag] ?? 0;
      // Stopping changes the gate after the flag, so a wait that begins now ends at once.
      if (flags[stopFlag] !== 0) return nowNs;
      slept = true;
      Atomics.wait(flags, gateFlag, gate, (leftNs - this.#spinNs) / 1e6);
    }
  }
}
