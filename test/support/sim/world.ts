import type { Instant } from '../../../src/shared/kernel/clock.js';
import { SeededRandom } from './random.js';

interface Happening {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
}

/** The order of all that happens, on a time of its own that no machine can read. */
export class World {
  readonly random: SeededRandom;
  readonly #heap: Happening[] = [];
  #nowMs = 0;
  #order = 0;
  happened = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, happen: () => void): void {
    this.#push({ atMs: Math.max(atMs, this.#nowMs), order: this.#order++, happen });
  }

  after(delayMs: number, happen: () => void): void {
    this.at(this.#nowMs + delayMs, happen);
  }

  /** Lets things happen until `done`, or until the world is `untilMs` old. */
  run(untilMs: number, done: () => boolean = () => false): void {
    while (!done()) {
      const next = this.#heap[0];
      if (!next || next.atMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return;
      }
      this.#pop();
      this.#nowMs = next.atMs;
      this.happened += 1;
      next.happen();
    }
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(happening);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent]!;
      if (!isBefore(happening, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** A machine's monotonic clock: where it began and how fast it goes is its own affair. */
export class SimClock {
  readonly #world: World;
  readonly #offsetMs: number;
  readonly #rate: number;

  constructor(world: World, offsetMs: number, driftPpm: number) {
    this.#world = world;
    this.#offsetMs = offsetMs;
    this.#rate = 1 + driftPpm / 1e6;
  }

  /** What `now` says of milliseconds: most want no more, and nanoseconds take longest. */
  get nowMs(): number {
    return this.read(this.#world.nowMs);
  }

  now(): Instant {
    const ms = this.nowMs;
    return { ms, ns: BigInt(Math.round(ms * 1e6)), unixMs: 1_700_000_000_000 + Math.round(ms) };
  }

  read(worldMs: number): number {
    return worldMs * this.#rate + this.#offsetMs;
  }

  /** When, in the world's time, this clock shows `localMs`. */
  worldTime(localMs: number): number {
    return (localMs - this.#offsetMs) / this.#rate;
  }
}

/**
 * A process: it has one timer, things arrive for it, and it can be stopped (SIGSTOP), continued and killed. As in Node,
 * a process that is continued runs its overdue timer before it reads what arrived meanwhile.
 */
export class SimProcess {
  readonly world: World;
  readonly clock: SimClock;
  readonly #tick: () => void;
  #frozen = false;
  #dead = false;
  #wakeMs: number | undefined;
  #alarm = 0;
  #overdue = false;
  readonly #waiting: (() => void)[] = [];

  constructor(world: World, clock: SimClock, tick: () => void) {
    this.world = world;
    this.clock = clock;
    this.#tick = tick;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  get dead(): boolean {
    return this.#dead;
  }

  get running(): boolean {
    return !this.#frozen && !this.#dead;
  }

  /** Something arrives at the process. */
  receive(handle: () => void): void {
    if (this.#dead) return;
    if (this.#frozen) this.#waiting.push(handle);
    else handle();
  }

  /** The one timer, on the process's own clock; undefined: none. */
  wakeAt(localMs: number | undefined): void {
    if (localMs === this.#wakeMs) return;
    this.#wakeMs = localMs;
    this.#alarm += 1;
    if (localMs === undefined || this.#dead) return;
    const alarm = this.#alarm;
    // Never early, and never at the same instant again: a timer takes its time.
    const atMs = Math.max(this.clock.worldTime(localMs), this.world.nowMs) + 1e-3;
    this.world.at(atMs, () => {
      if (alarm === this.#alarm && !this.#dead) this.#fire();
    });
  }

  get armed(): boolean {
    return !this.#dead && this.#wakeMs !== undefined;
  }

  freeze(): void {
    this.#frozen = true;
  }

  unfreeze(): void {
    if (!this.#frozen || this.#dead) return;
    this.#frozen = false;
    if (this.#overdue) {
      this.#overdue = false;
      this.#fire();
    }
    while (this.running) {
      const next = this.#waiting.shift();
      if (!next) break;
      next();
    }
  }

  kill(): void {
    this.#dead = true;
    this.#waiting.length = 0;
  }

  #fire(): void {
    if (this.#frozen) {
      this.#overdue = true;
      return;
    }
    this.#wakeMs = undefined;
    this.#tick();
  }
}
