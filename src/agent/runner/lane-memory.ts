/**
 * What a worker thread counts, in memory shared with the runner: the worker writes, the runner reads without asking, so
 * a worker that is stuck in a system call is still seen as it is.
 */
import { bucketCount } from '../../shared/metrics/bucket-layout.js';
import { errorCodes } from './error-codes.js';

/** Buckets per mark in the map of what has changed. */
export const blockBits = 6;
export const blocksPerHistogram = bucketCount >> blockBits;

/** Cells of `LaneMemory.cells`. */
export const firstStart = 0;
export const lastEnd = 1;
export const lateWakeUps = 2;
/** Open loop: when the first operation was due. */
export const firstDue = 3;

/** A cache line, in doubles: what is written with every operation has one of its own. */
const line = 8;

export interface LaneShape {
  /** Kinds of operation in the stage's mix. */
  readonly kinds: number;
  /** Operations that may be in flight at once. */
  readonly depth: number;
  /** Operations have an intended start, and a response time counted from there. */
  readonly openLoop: boolean;
}

/**
 * One per worker and stage. Histograms lie one after the other, each by kind: service times of completed operations,
 * those of failed ones, and in open loop the response times. Their pages cost memory only once they are written.
 */
export class LaneMemory {
  readonly shape: LaneShape;
  readonly buffer: SharedArrayBuffer;
  /** firstStart, lastEnd: ns after the clock base. lateWakeUps: how often (pacing/waiter.ts). */
  readonly cells: Float64Array<SharedArrayBuffer>;
  /** Since when each operation is in flight, ns after the clock base; 0 = none in this place. */
  readonly starts: Float64Array<SharedArrayBuffer>;
  /** Open loop, by kind: operations issued late, because the lane was busy when they were due. */
  readonly missed: Float64Array<SharedArrayBuffer>;
  /** Bytes moved by kind, where not all operations of a kind move the same. */
  readonly bytes: Float64Array<SharedArrayBuffer>;
  /** Open loop, by kind: operations that were due before the stage ended and not issued. */
  readonly unissued: Float64Array<SharedArrayBuffer>;
  /** Failed operations by kind and code. */
  readonly errors: Float64Array<SharedArrayBuffer>;
  readonly counts: Float64Array<SharedArrayBuffer>;
  /** 1 for every block of buckets that changed since the sampler looked. */
  readonly dirty: Uint8Array<SharedArrayBuffer>;

  constructor(shape: LaneShape, buffer = new SharedArrayBuffer(sizeFor(shape))) {
    this.shape = shape;
    this.buffer = buffer;
    let at = 0;
    const take = (length: number): Float64Array<SharedArrayBuffer> => {
      const part = new Float64Array(buffer, at, length);
      at += part.byteLength;
      return part;
    };
    const sizes = sizesOf(shape);
    this.cells = take(sizes.cells);
    this.starts = take(sizes.starts);
    this.missed = take(sizes.missed);
    this.bytes = take(sizes.bytes);
    this.unissued = take(sizes.unissued);
    this.errors = take(sizes.errors);
    this.counts = take(sizes.counts);
    this.dirty = new Uint8Array(buffer, at, sizes.counts >> blockBits);
  }

  /** As new, after warming up. */
  clear(): void {
    const { cells, starts, missed, unissued, bytes, errors } = this;
    for (const part of [cells, starts, missed, unissued, bytes, errors]) part.fill(0);
    this.dirty.forEach((mark, block) => {
      if (mark === 0) return;
      this.counts.fill(0, block << blockBits, (block + 1) << blockBits);
      this.dirty[block] = 0;
    });
  }
}

/** In doubles. */
function sizesOf({ kinds, depth, openLoop }: LaneShape) {
  return {
    cells: line,
    starts: Math.ceil(depth / line) * line,
    missed: kinds,
    bytes: kinds,
    unissued: kinds,
    errors: kinds * errorCodes.length,
    counts: (openLoop ? 3 : 2) * kinds * bucketCount,
  };
}

function sizeFor(shape: LaneShape): number {
  const sizes = sizesOf(shape);
  const doubles = Object.values(sizes).reduce((sum, length) => sum + length, 0);
  return doubles * 8 + (sizes.counts >> blockBits);
}
