/** So many measurements in a row have to ask for a change: one slow message is no slow link. */
const needed = 3;

/** Hysteresis of a parameter that follows measurements [LINK-11]. */
export class Votes {
  #sum = 0;

  /**
   * @param direction what this measurement asks for: less (-1), no change (0), more (1)
   * @returns whether that is agreed now
   */
  cast(direction: -1 | 0 | 1): boolean {
    if (direction === 0 || this.#sum * direction < 0) this.#sum = 0;
    this.#sum += direction;
    if (Math.abs(this.#sum) < needed) return false;
    this.#sum = 0;
    return true;
  }
}
