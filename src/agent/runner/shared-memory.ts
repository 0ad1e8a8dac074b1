/** Cells of `RunControl.flags`. */
export const stopFlag = 0;
export const gateFlag = 1;
export const nextChunk = 2;
export const alarmFlag = 3;

/** One per runner: what the runner tells all workers at once. */
export class RunControl {
  readonly buffer: SharedArrayBuffer;
  /**
   * stopFlag: 1 = issue nothing more. gateFlag: 0 = wait, 2 n = start number n
   * is to come, 2 n + 1 = it has begun, -1 = stopped. nextChunk: work handed out.
   * alarmFlag: counts what the thread that rings alarms has to look at (pacing/alarm-clock.ts).
   */
  readonly flags: Int32Array<SharedArrayBuffer>;
  /** [0]: when the stage begins, ns after the clock base. */
  readonly startNs: Float64Array<SharedArrayBuffer>;
  /** The agent's part of a stage's rate: [0] its number of [1] equal parts. May change during a stage. */
  readonly share: Float64Array<SharedArrayBuffer>;

  constructor(buffer = new SharedArrayBuffer(64)) {
    this.buffer = buffer;
    this.flags = new Int32Array(buffer, 0, 4);
    this.startNs = new Float64Array(buffer, 32, 1);
    this.share = new Float64Array(buffer, 40, 2);
  }

  /** Before new work: nothing is stopped, the gate is shut, all work is still to be handed out. */
  reset(): void {
    for (const cell of [stopFlag, gateFlag, nextChunk]) Atomics.store(this.flags, cell, 0);
  }

  get isStopped(): boolean {
    return Atomics.load(this.flags, stopFlag) !== 0;
  }

  /**
   * Workers stop after the operation or the block they are at; those that wait for the start wake up.
   * @returns whether a start had begun
   */
  stop(): boolean {
    Atomics.store(this.flags, stopFlag, 1);
    // A new value, or a worker that is just about to wait would not notice.
    const gate = Atomics.exchange(this.flags, gateFlag, -1);
    Atomics.notify(this.flags, gateFlag);
    this.stirAlarms();
    return isBegun(gate);
  }

  /** Has the thread that rings alarms look again. */
  stirAlarms(): void {
    Atomics.add(this.flags, alarmFlag, 1);
    Atomics.notify(this.flags, alarmFlag);
  }

  openGate(start: number, atNs: number): void {
    this.startNs[0] = atNs;
    Atomics.store(this.flags, gateFlag, 2 * start);
    Atomics.notify(this.flags, gateFlag);
  }

  /** @returns false: a worker has begun already, and the start stands */
  closeGate(): boolean {
    const gate = Atomics.load(this.flags, gateFlag);
    if (isBegun(gate) || Atomics.compareExchange(this.flags, gateFlag, gate, 0) !== gate) {
      return false;
    }
    Atomics.notify(this.flags, gateFlag);
    return true;
  }

  /**
   * A worker's, when the instant has come: from the first one on, the start cannot be replaced any more.
   * @param gate as the worker found it
   * @returns false: it has been replaced, or stopped
   */
  begin(gate: number): boolean {
    const toCome = gate & ~1;
    const found = Atomics.compareExchange(this.flags, gateFlag, toCome, toCome + 1);
    return found === toCome || found === toCome + 1;
  }
}

function isBegun(gate: number): boolean {
  return gate > 0 && (gate & 1) === 1;
}
