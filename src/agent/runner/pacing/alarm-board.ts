/** When the lanes of a stage want to be woken, and their bells: in memory shared with the thread that rings them. */
export class AlarmBoard {
  readonly buffer: SharedArrayBuffer;
  /** By lane, ns after the clock base. */
  readonly instants: Float64Array<SharedArrayBuffer>;
  /** By lane; another number with every ring. */
  readonly bells: Int32Array<SharedArrayBuffer>;
  readonly #over: Int32Array<SharedArrayBuffer>;

  constructor(lanes: number, buffer = new SharedArrayBuffer(lanes * 12 + 4)) {
    this.buffer = buffer;
    this.instants = new Float64Array(buffer, 0, lanes);
    this.bells = new Int32Array(buffer, lanes * 8, lanes);
    this.#over = new Int32Array(buffer, lanes * 12, 1);
  }

  ring(lane: number): void {
    Atomics.add(this.bells, lane, 1);
    Atomics.notify(this.bells, lane);
  }

  /** No lane needs its alarm any more. */
  end(): void {
    Atomics.store(this.#over, 0, 1);
  }

  get isOver(): boolean {
    return Atomics.load(this.#over, 0) !== 0;
  }
}
