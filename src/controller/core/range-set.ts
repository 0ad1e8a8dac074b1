/** Seconds `first` … `last`, both included. */
export interface SecondRange {
  readonly first: number;
  readonly last: number;
}

/** Which seconds of a stage are held, as ascending ranges that neither overlap nor touch. */
export class RangeSet {
  #ranges: SecondRange[] = [];

  /** False, and nothing changes, when a second of the range is held already or the range is not one. */
  add(first: number, last: number): boolean {
    if (first < 0 || last < first) return false;
    let at = this.#ranges.length;
    while (at > 0 && (this.#ranges[at - 1]?.first ?? -1) > last) at -= 1;
    const before = this.#ranges[at - 1];
    if (before && before.last >= first) return false;
    const after = this.#ranges[at];
    const joinsBefore = before?.last === first - 1;
    const joinsAfter = after?.first === last + 1;
    this.#ranges.splice(joinsBefore ? at - 1 : at, Number(joinsBefore) + Number(joinsAfter), {
      first: joinsBefore ? before.first : first,
      last: joinsAfter ? after.last : last,
    });
    return true;
  }

  get ranges(): readonly SecondRange[] {
    return this.#ranges;
  }

  /** Number of seconds held. */
  get seconds(): number {
    return this.#ranges.reduce((sum, range) => sum + range.last - range.first + 1, 0);
  }

  /** The second after the newest held, 0 when none is. */
  get end(): number {
    return (this.#ranges.at(-1)?.last ?? -1) + 1;
  }

  /** Seconds held without a gap from second 0 on. */
  get contiguous(): number {
    const [head] = this.#ranges;
    return head?.first === 0 ? head.last + 1 : 0;
  }

  has(second: number): boolean {
    return this.#ranges.some((range) => range.first <= second && second <= range.last);
  }
}
