/**
 * What the runner and its worker threads share. Workers write, the runner reads without asking them, so a worker that
 * is stuck in a system call is still seen as it is.
 */
import { bucketCount } from '../../shared/metrics/bucket-layout.js';
import { errorCodes } from './error-codes.js';

/** Buckets per mark in the map of what has changed. */
export const blockBits = 6;
export const blocksPerHistogram = bucketCount >> blockBits;

/** Cells of `RunControl.flags`. */
export const stopFlag = 0;
export const gateFlag = 1;
export const nextChunk = 2;

/** One per runner: what the runner tells all workers at once. */
export class RunControl {
  readonly buffer: SharedArrayBuffer;
  /** stopFlag: 1 = issue nothing more. gateFlag: 0 = wait, else the number of the start. nextChunk: work handed out. */
  readonly flags: Int32Array<SharedArrayBuffer>;
  /** [0]: when the stage begins, ns after the clock base. */
  readonly startNs: Float64Array<SharedArrayBuffer>;

  constructor(buffer = new SharedArrayBuffer(64)) {
    this.buffer = buffer;
    this.flags = new Int32Array(buffer, 0, 4);
    this.startNs = new Float64Array(buffer, 32, 1);
  }

  /** Before new work: nothing is stopped, the gate is shut, all work is still to be handed out. */
  reset(): void {
    for (const cell of [stopFlag, gateFlag, nextChunk]) Atomics.store(this.flags, cell, 0);
  }

  get isStopped(): boolean {
    return Atomics.load(this.flags, stopFlag) !== 0;
  }

  /** Workers stop after the operation or the block they are at; those that wait for the start wake up. */
  stop(): void {
    Atomics.store(this.flags, stopFlag, 1);
    // A new value, or a worker that is just about to wait would not notice.
    Atomics.store(this.flags, gateFlag, -1);
    Atomics.notify(this.flags, gateFlag);
  }

  openGate(start: number, atNs: number): void {
    this.startNs[0] = atNs;
    Atomics.store(this.flags, gateFlag, start);
    Atomics.notify(this.flags, gateFlag);
  }

  closeGate(): void {
    Atomics.store(this.flags, gateFlag, 0);
    Atomics.notify(this.flags, gateFlag);
  }
}

/** Cells of `LaneMemory.cells`. */
export const opStart = 0;
export const firstStart = 1;
export const lastEnd = 2;

/**
 * One per worker and stage. Histograms lie one after the other: first those of completed operations by kind, then
 * those of failed ones. Their pages cost memory only once they are written.
 */
export class LaneMemory {
  readonly buffer: SharedArrayBuffer;
  readonly kinds: number;
  /** opStart: since when an operation is in flight, 0 = none. firstStart, lastEnd. All ns after the clock base. */
  readonly cells: Float64Array<SharedArrayBuffer>;
  readonly counts: Float64Array<SharedArrayBuffer>;
  /** Failed operations by kind and code. */
  readonly errors: Float64Array<SharedArrayBuffer>;
  /** 1 for every block of buckets that changed since the sampler looked. */
  readonly dirty: Uint8Array<SharedArrayBuffer>;

  constructor(kinds: number, buffer = new SharedArrayBuffer(sizeFor(kinds))) {
    this.kinds = kinds;
    this.buffer = buffer;
    const { cells, counts, errors } = sizesOf(kinds);
    this.cells = new Float64Array(buffer, 0, cells);
    this.errors = new Float64Array(buffer, cells * 8, errors);
    this.counts = new Float64Array(buffer, (cells + errors) * 8, counts);
    this.dirty = new Uint8Array(
      buffer,
      (cells + errors + counts) * 8,
      2 * kinds * blocksPerHistogram,
    );
  }

  /** As new, after warming up. */
  clear(): void {
    this.cells.fill(0);
    this.errors.fill(0);
    this.dirty.forEach((mark, block) => {
      if (mark === 0) return;
      this.counts.fill(0, block << blockBits, (block + 1) << blockBits);
      this.dirty[block] = 0;
    });
  }
}

function sizesOf(kinds: number): { cells: number; counts: number; errors: number } {
  // Eight cells of eight bytes: a cache line of its own for what is written with every operation.
  return { cells: 8, counts: 2 * kinds * bucketCount, errors: kinds * errorCodes.length };
}

function sizeFor(kinds: number): number {
  const { cells, counts, errors } = sizesOf(kinds);
  return (cells + counts + errors) * 8 + 2 * kinds * blocksPerHistogram;
}
