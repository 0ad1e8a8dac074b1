/** How many LIVE messages may wait to be counted (2-protocol §2). */
export const inboxLimit = 1000;

/** What an arrival means for those that wait. */
export interface Admission<Item> {
  /** The oldest, when it had to make room: to be counted at once, in the totals only. */
  readonly folded: Item | undefined;
  /** It is the first since the inbox was last empty: worth a word. */
  readonly isNews: boolean;
}

/**
 * Stats that have arrived and are not counted yet, oldest first. Control messages never wait behind them, and memory is
 * bounded: when counting does not keep up, the oldest loses its place in the time line.
 */
export class LiveInbox<Item> {
  #items: Item[] = [];
  /** Where the oldest is: those before it are gone, and cut off now and then. */
  #head = 0;
  #overflowing = false;

  get size(): number {
    return this.#items.length - this.#head;
  }

  get isFull(): boolean {
    return this.size >= inboxLimit;
  }

  add(item: Item): Admission<Item> {
    this.#items.push(item);
    if (this.size <= inboxLimit) return { folded: undefined, isNews: false };
    const isNews = !this.#overflowing;
    this.#overflowing = true;
    return { folded: this.#shift(), isNews };
  }

  /** The oldest. */
  take(): Item | undefined {
    const item = this.#shift();
    if (this.size === 0) this.#overflowing = false;
    return item;
  }

  #shift(): Item | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    if (this.#head >= inboxLimit || this.size === 0) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
