export interface PageMemory {
  readonly buffer: ArrayBuffer;
}

/** Part of the language's platform, but not declared by @types/node. */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number }) => PageMemory;
};

/** Of WebAssembly's memories. */
export const pageBytes = 65_536;

const memories = new WeakMap<ArrayBufferLike, PageMemory>();

/**
 * A buffer at the start of a memory page: O_DIRECT needs it, and large copies are twice as fast.
 * @param spareBytes of the same memory behind it, from the next page on
 */
export function alignedBuffer(bytes: number, spareBytes = 0): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: pagesOf(bytes) + pagesOf(spareBytes) });
  memories.set(memory.buffer, memory);
  return new Uint8Array(memory.buffer, 0, bytes);
}

/** Of a buffer that `alignedBuffer` made. */
export function memoryOf(buffer: Uint8Array): PageMemory | undefined {
  return memories.get(buffer.buffer);
}

export function pagesOf(bytes: number): number {
  return Math.ceil(bytes / pageBytes);
}
