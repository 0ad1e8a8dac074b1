/** What one lane has made and may remove: put, rename and delete, or mkdir and rmdir. Oldest first. */
export interface ChurnState {
  /** The number of the next entry to make in the lane's own folder. */
  readonly next: number;
  /** Existing entries as lane × 2^32 + number. */
  readonly entries: Float64Array;
}

export const emptyChurn: ChurnState = { next: 0, entries: new Float64Array(0) };

const laneFactor = 4_294_967_296;

export class ChurnPool {
  readonly #lane: number = 0;
  #next = 0;
  /** A ring that doubles when it is full. */
  #ring: Float64Array;
  #head = 0;
  #count = 0;

  constructor(lane: number, state: ChurnState) {
    this.#lane = lane;
    this.#next = state.next;
    this.#ring = new Float64Array(Math.max(1024, state.entries.length));
    this.#ring.set(state.entries);
    this.#count = state.entries.length;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** A number never used before in this lane. */
  create(): number {
    return this.#next++;
  }

  created(entry: number): void {
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#count++) % this.#ring.length] = this.#lane * laneFactor + entry;
  }

  /** The oldest entry leaves the pool; only when it is not empty. */
  take(): number {
    const entry = this.#ring[this.#head] ?? 0;
    this.#head = (this.#head + 1) % this.#ring.length;
    this.#count--;
    return entry;
  }

  state(): ChurnState {
    const entries = new Float64Array(this.#count);
    for (let i = 0; i < this.#count; i++) {
      entries[i] = this.#ring[(this.#head + i) % this.#ring.length] ?? 0;
    }
    return { next: this.#next, entries };
  }

  #grow(): void {
    const { entries } = this.state();
    this.#ring = new Float64Array(this.#ring.length * 2);
    this.#ring.set(entries);
    this.#head = 0;
  }
}

export function laneOf(entry: number): number {
  return Math.floor(entry / laneFactor);
}

export function numberOf(entry: number): number {
  return entry % laneFactor;
}

/** Hands all lanes' entries out evenly to the lanes of the next stage; a lane's own numbers go on. */
export function redistribute(states: readonly ChurnState[], lanes: number): readonly ChurnState[] {
  const all = states.flatMap(({ entries }) => [...entries]);
  return Array.from({ length: Math.max(lanes, states.length) }, (_, lane) => {
    const [from, to] =
      lane < lanes
        ? [Math.floor((all.length * lane) / lanes), Math.floor((all.length * (lane + 1)) / lanes)]
        : [0, 0];
    return { next: states[lane]?.next ?? 0, entries: Float64Array.from(all.slice(from, to)) };
  });
}
