import type { Random } from '../choosing/random.js';

/** Storage that collapses repeats or compresses does so in blocks of this size or larger. */
export const dataBlock = 4096;

/**
 * Compressors make about this many bytes of a block's run of zeros and of the change to it (gzip -6 and zstd -3,
 * measured); it is taken off the random part, so that the ratio asked for comes out.
 */
const overhead = 14;

/** How many random bytes a block begins with so that it compresses to 1/ratio; the rest is zeros. */
export function randomPart(ratio: number): number {
  if (ratio <= 1) return dataBlock;
  return Math.max(32, Math.round((dataBlock / ratio - overhead) / 4) * 4);
}

/** Fills each whole block of the buffer: random bytes in front, zeros behind. */
export function fillBlocks(buffer: Uint8Array, ratio: number, random: Random): void {
  const words = new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.length >> 2);
  const perBlock = dataBlock >> 2;
  const filled = randomPart(ratio) >> 2;
  for (let block = 0; block < words.length; block += perBlock) {
    const end = Math.min(block + filled, words.length);
    for (let i = block; i < end; i++) words[i] = random.next();
  }
}
