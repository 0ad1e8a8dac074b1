import type { Content } from '../../../shared/model/plan.js';
import type { Operation, WriteContent } from '../../engines/engine.js';
import { Random } from '../choosing/random.js';
import { alignedBuffer } from './aligned-buffer.js';
import { dataBlock, fillBlocks } from './fill-blocks.js';

/** Multiples of 2^32 divided by the golden ratio are spread evenly, whatever stretch of them one looks at. */
const golden = 0x9e3779b9;

/**
 * A pool of data that is written from, part after part, round and round. From the second round on every 4 KiB are
 * stamped before they are written, so that no two blocks written are alike, in this run or any other. With `dedup` only
 * one of so many blocks is new; the others are copies, of blocks before them at first, later of themselves.
 */
export class ContentPool implements WriteContent {
  readonly bytes: Uint8Array;
  /** New blocks among all, as part of 2^32. */
  readonly #fresh: number = 0.5;
  readonly #isZero: boolean = false;
  #at = 0;
  #isFirstRound = true;
  #turn = 0;
  #counter = 0;

  /**
   * @param bytes at least the longest that is taken at once; rounded up to whole blocks
   * @param keys make the content differ between runs, agents and workers
   * @param spareBytes of its memory behind it
   */
  constructor(content: Content, bytes: number, keys: readonly number[], spareBytes = 0) {
    const { compress, dedup } = typeof content === 'string' ? { compress: 1, dedup: 1 } : content;
    this.bytes = alignedBuffer(Math.ceil(bytes / dataBlock) * dataBlock, spareBytes);
    this.#isZero = content === 'zero';
    this.#fresh = 4_294_967_296 / dedup;
    const random = new Random(keys);
    this.#turn = random.next();
    if (this.#isZero) return;
    fillBlocks(this.bytes, compress, random);
    // Copies of copies would make a few blocks a large part of all, and repeats that are near each other.
    const originals = [0];
    for (let block = dataBlock; block < this.bytes.length; block += dataBlock) {
      if (this.#isFresh()) originals.push(block);
      else {
        const from = originals[random.below(originals.length)]!;
        this.bytes.copyWithin(block, from, from + dataBlock);
      }
    }
  }

  take(_operation: Operation, _buffer: Uint8Array, length: number): number {
    if (this.#at + length > this.bytes.length) {
      this.#at = 0;
      this.#isFirstRound = this.#isZero;
    }
    const at = this.#at;
    this.#at += Math.ceil(length / dataBlock) * dataBlock;
    if (!this.#isFirstRound) {
      for (let block = at; block + 8 <= at + length; block += dataBlock) {
        if (this.#isFresh()) this.#stamp(block);
      }
    }
    return at;
  }

  #isFresh(): boolean {
    this.#turn = (this.#turn + golden) >>> 0;
    return this.#turn < this.#fresh;
  }

  #stamp(block: number): void {
    const { bytes } = this;
    const counter = ++this.#counter;
    bytes[block] = counter;
    bytes[block + 1] = counter >>> 8;
    bytes[block + 2] = counter >>> 16;
    bytes[block + 3] = counter >>> 24;
    bytes[block + 4] = counter / 4_294_967_296;
  }
}

/** Data of all workers of an agent together, whose repeats are out of reach of any compressor's window. */
const poolBytes = 64 * 1024 * 1024;
/**
 * What is written at full speed comes from the core's own cache as long as it may, so that the load's memory is not what
 * is measured. `random` is stamped, and no array compresses more than 1 MiB at once; `compress` and `dedup` need more.
 */
const cachedBytes = 1024 * 1024;

export interface PoolUse {
  readonly workers: number;
  /** The longest that one worker takes at once; with more in flight, as much as leaves those alone that are under way. */
  readonly leastBytes: number;
  /** Bytes that are written in all, where that is known: while time is not measured. */
  readonly totalBytes: number | undefined;
  /** Of its memory behind it. */
  readonly spareBytes?: number;
}

export function poolFor(content: Content, use: PoolUse, keys: readonly number[]): ContentPool {
  const share = poolBytes / use.workers;
  const isTimed = use.totalBytes === undefined;
  const most = isTimed ? (typeof content === 'string' ? cachedBytes : share) : use.totalBytes;
  const bytes = Math.max(Math.min(share, most), use.leastBytes);
  return new ContentPool(content, bytes, keys, use.spareBytes);
}
