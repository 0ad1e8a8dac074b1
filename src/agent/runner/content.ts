import type { Content } from '../../shared/model/plan.js';
import { Random } from './choosing/random.js';

/** Part of the language's platform, but not declared by @types/node. */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer };
};

const pageBytes = 65_536;
/** Storage that collapses repeats does so in blocks of this size or larger. */
const stampEvery = 4096;

/** A buffer at the start of a memory page: O_DIRECT needs it, and large copies are twice as fast. */
export function alignedBuffer(bytes: number): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) });
  return new Uint8Array(memory.buffer, 0, bytes);
}

/**
 * Fills a worker's buffer and gives back what makes it new before every write: each 4 KiB get a number that was not
 * there before, so that no two blocks written are alike. `zero` means zeros and stays.
 * @param keys make the content differ between runs, agents and workers
 */
export function fillContent(
  buffer: Uint8Array,
  content: Content,
  keys: readonly number[],
): (buffer: Uint8Array, length: number) => void {
  if (content === 'zero') return () => undefined;
  const random = new Random(keys);
  const words = new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.length >> 2);
  for (let i = 0; i < words.length; i++) words[i] = random.next();
  for (let i = words.length << 2; i < buffer.length; i++) buffer[i] = random.next();
  // Bytes by hand, because a block need not be a multiple of anything.
  let counter = 0;
  return (target, length) => {
    for (let at = 0; at + 8 <= length; at += stampEvery) {
      counter++;
      target[at] = counter;
      target[at + 1] = counter >>> 8;
      target[at + 2] = counter >>> 16;
      target[at + 3] = counter >>> 24;
      target[at + 4] = counter / 4_294_967_296;
    }
  };
}
