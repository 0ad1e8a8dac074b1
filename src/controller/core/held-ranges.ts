interface Range {
  first: number;
  last: number;
}

/** Which intervals of one stage are held, as sorted ranges that neither touch nor overlap. */
export class HeldRanges {
  readonly #ranges: Range[] = [];

  get ranges(): readonly Readonly<Range>[] {
    return this.#ranges;
  }

  /** `new`: taken in. `known`: held already, whole. `overlap`: partly held, so its histogram cannot be added: refused. */
  add(first: number, last: number): 'new' | 'known' | 'overlap' {
    const has = this.has(first, last);
    if (has !== 'none') return has === 'all' ? 'known' : 'overlap';
    const at = this.#ranges.findIndex((range) => range.first > last);
    const index = at < 0 ? this.#ranges.length : at;
    const before = this.#ranges[index - 1];
    const after = this.#ranges[index];
    const joinsBefore = before !== undefined && before.last + 1 === first;
    const joinsAfter = after !== undefined && last + 1 === after.first;
    if (joinsBefore && joinsAfter) {
      before.last = after.last;
      this.#ranges.splice(index, 1);
    } else if (joinsBefore) before.last = last;
    else if (joinsAfter) after.first = first;
    else this.#ranges.splice(index, 0, { first, last });
    return 'new';
  }

  has(first: number, last: number): 'all' | 'some' | 'none' {
    for (const range of this.#ranges) {
      if (first >= range.first && last <= range.last) return 'all';
      if (first <= range.last && last >= range.first) return 'some';
    }
    return 'none';
  }

  /** Whether 0 … count-1 are all held. */
  holdsAll(count: number): boolean {
    if (count <= 0) return true;
    const only = this.#ranges[0];
    return only?.first === 0 && only.last >= count - 1;
  }

  /** How many of 0 … count-1 are not held. */
  missing(count: number): number {
    let held = 0;
    for (const range of this.#ranges) {
      if (range.first < count) held += Math.min(range.last, count - 1) - range.first + 1;
    }
    return Math.max(0, count - held);
  }
}
