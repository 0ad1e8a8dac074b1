import { lanes } from '../model/messages.js';
import type { Lane } from '../model/messages.js';

/**
 * Where the next frame can come from, most urgent first. replay: reliable frames to be written again, in order; last:
 * the goodbye, when there is nothing else.
 */
export const sources = [
  'critical',
  'replay',
  'high',
  'normal',
  'live',
  'background',
  'last',
] as const;
export type Source = (typeof sources)[number];

/** A source that waited while this many frames went ahead of it has its turn (LINK-10). */
export const patience = 32;

/** The sources that have something to write: a Set of them, or a Map by them. */
export interface Ready {
  readonly size: number;
  has(source: Source): boolean;
  keys(): Iterable<Source>;
}

/** Strict priority with anti-starvation. */
export class LaneOrder {
  readonly #passedOver = new Map<Source, number>();

  /** Which of the sources that have something to write is next. */
  choose(ready: Ready): Source | undefined {
    if (ready.size === 0) return undefined;
    const starved = sources.find(
      (source) => ready.has(source) && (this.#passedOver.get(source) ?? 0) >= patience,
    );
    return starved ?? sources.find((source) => ready.has(source));
  }

  /** `source` was written from while those in `ready` could have been. */
  took(source: Source, ready: Ready): void {
    for (const other of ready.keys()) {
      this.#passedOver.set(other, (this.#passedOver.get(other) ?? 0) + 1);
    }
    this.#passedOver.set(source, 0);
  }
}

/** One queue per lane. */
export class Queues<Item> {
  readonly #queues: Readonly<Record<Lane, Item[]>> = {
    critical: [],
    high: [],
    normal: [],
    live: [],
    background: [],
  };

  of(lane: Lane): Item[] {
    return this.#queues[lane];
  }

  /** Removes and returns what `unwanted` says. */
  remove(unwanted: (item: Item) => boolean): Item[] {
    return lanes.flatMap((lane) => {
      const queue = this.#queues[lane];
      const removed = queue.filter(unwanted);
      if (removed.length > 0)
        queue.splice(0, queue.length, ...queue.filter((item) => !unwanted(item)));
      return removed;
    });
  }
}
