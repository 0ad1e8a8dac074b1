import type { RunControl } from '../shared-memory.js';
import type { AlarmBoard } from './alarm-board.js';

/** How long before an instant a lane is woken that may watch the clock: as long as that takes (measured). */
export const leadNs = 50_000;
/** How long before an instant a lane watches the clock. More than `leadNs`, or it would go to sleep again. */
const watchNs = leadNs + 10_000;

/** Wakes a lane for its next instant without keeping it from its event loop: completions are heard meanwhile. */
export class Alarm {
  readonly #control: RunControl;
  readonly #board: AlarmBoard | undefined;
  readonly #lane: number;
  readonly #watchNs: number;
  #isSet = false;

  /**
   * @param board none: the lane watches the clock all the time
   * @param watch false where threads outnumber the CPUs: watching would take the CPU from those that work
   */
  constructor(control: RunControl, board: AlarmBoard | undefined, lane: number, watch: boolean) {
    this.#control = control;
    this.#board = board;
    this.#lane = lane;
    this.#watchNs = watch ? watchNs : 0;
  }

  get isStopped(): boolean {
    return this.#control.isStopped;
  }

  /**
   * Calls `wake` once, from the event loop: around `dueNs`, for an earlier instant that it was set for and has not woken
   * for yet, or when the load is stopped. Whoever is woken looks at the clock and sets it again.
   */
  set(dueNs: number, nowNs: number, wake: () => void): void {
    if (this.#isSet) return;
    this.#isSet = true;
    const board = this.#board;
    const ring = (): void => {
      this.#isSet = false;
      wake();
    };
    // A turn of the event loop, which hears what has ended.
    if (board === undefined || dueNs - nowNs <= this.#watchNs) {
      setImmediate(ring);
      return;
    }
    const bell = Atomics.load(board.bells, this.#lane);
    board.instants[this.#lane] = dueNs;
    this.#control.stirAlarms();
    // Stopping rings the bell after the flag, so a wait for a ring that has been is over at once or not begun.
    const heard = this.#control.isStopped
      ? undefined
      : Atomics.waitAsync(board.bells, this.#lane, bell);
    if (heard?.async === true) void heard.value.then(ring);
    else setImmediate(ring);
  }
}
