import type { HeldRange } from '../model/messages.js';

interface Span {
  first: number;
  last: number;
}

/** Which intervals of which stages are held, as the fewest ranges. */
export class HeldRanges {
  readonly #stages = new Map<number, Span[]>();
  #size = 0;

  constructor(ranges: readonly HeldRange[] = []) {
    for (const range of ranges) this.add(range);
  }

  /** How many ranges there are. */
  get size(): number {
    return this.#size;
  }

  covers({ stage, first, last }: HeldRange): boolean {
    const spans = this.#stages.get(stage) ?? [];
    return spans.some((span) => span.first <= first && last <= span.last);
  }

  add({ stage, first, last }: HeldRange): void {
    const joined: Span = { first, last };
    const apart: Span[] = [];
    const before = this.#stages.get(stage) ?? [];
    for (const span of before) {
      if (span.last + 1 < joined.first || joined.last + 1 < span.first) {
        apart.push(span);
      } else {
        joined.first = Math.min(joined.first, span.first);
        joined.last = Math.max(joined.last, span.last);
      }
    }
    apart.push(joined);
    this.#size += apart.length - before.length;
    this.#stages.set(
      stage,
      apart.sort((a, b) => a.first - b.first),
    );
  }

  list(): HeldRange[] {
    return [...this.#stages].flatMap(([stage, spans]) => spans.map((span) => ({ stage, ...span })));
  }
}
