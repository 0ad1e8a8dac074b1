/** A set of file numbers, kept as ascending ranges that do not touch: a million files done in order is one range. */
export class FileRanges {
  readonly #ranges: [number, number][] = [];

  constructor(ranges: Iterable<readonly [number, number]> = []) {
    for (const [from, to] of ranges) this.add(from, to);
  }

  /** Adds `from` … `to`-1. */
  add(from: number, to: number): void {
    if (from >= to) return;
    const first = this.#firstEndingAtOrAfter(from);
    let [low, high] = [from, to];
    let last = first;
    for (; last < this.#ranges.length; last++) {
      const range = this.#ranges[last];
      if (range === undefined || range[0] > to) break;
      low = Math.min(low, range[0]);
      high = Math.max(high, range[1]);
    }
    this.#ranges.splice(first, last - first, [low, high]);
  }

  has(file: number): boolean {
    const range = this.#ranges[this.#firstEndingAtOrAfter(file + 1)];
    return range !== undefined && range[0] <= file;
  }

  covers(from: number, to: number): boolean {
    if (from >= to) return true;
    const range = this.#ranges[this.#firstEndingAtOrAfter(to)];
    return range !== undefined && range[0] <= from;
  }

  /** How many files. */
  get size(): number {
    return this.#ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  toArray(): readonly (readonly [number, number])[] {
    return this.#ranges.map(([from, to]) => [from, to]);
  }

  #firstEndingAtOrAfter(value: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle]?.[1] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
