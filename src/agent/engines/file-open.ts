import fs from 'node:fs';

/**
 * The files of a worker's reads and writes. All are opened beforehand when the limit allows; beyond it a slot is shared
 * by several files, and the operation that needs another one pays for closing and opening.
 */
export class OpenFiles {
  readonly #open: (index: number) => number;
  readonly #first: number = 0;
  readonly #descriptors: Int32Array;
  readonly #owners: Float64Array;
  readonly #slots: number = 0;

  constructor(
    files: { readonly from: number; readonly to: number },
    limit: number,
    open: (index: number) => number,
  ) {
    this.#open = open;
    this.#first = files.from;
    this.#slots = Math.max(1, Math.min(files.to - files.from, limit));
    this.#descriptors = new Int32Array(this.#slots).fill(-1);
    this.#owners = new Float64Array(this.#slots).fill(-1);
    try {
      for (let slot = 0; slot < Math.min(this.#slots, files.to - files.from); slot++) {
        this.#reopen(slot, files.from + slot);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Hot path. @throws a system error when the file has to be opened and cannot be */
  descriptor(index: number): number {
    const relative = index - this.#first;
    const slot = relative < this.#slots ? relative : relative % this.#slots;
    if (this.#owners[slot] !== index) this.#reopen(slot, index);
    return this.#descriptors[slot] ?? -1;
  }

  forEach(visit: (descriptor: number) => void): void {
    for (const descriptor of this.#descriptors) if (descriptor >= 0) visit(descriptor);
  }

  close(): void {
    for (let slot = 0; slot < this.#slots; slot++) this.#release(slot);
  }

  #reopen(slot: number, index: number): void {
    this.#release(slot);
    this.#descriptors[slot] = this.#open(index);
    this.#owners[slot] = index;
  }

  #release(slot: number): void {
    const descriptor = this.#descriptors[slot] ?? -1;
    if (descriptor < 0) return;
    this.#descriptors[slot] = -1;
    this.#owners[slot] = -1;
    fs.closeSync(descriptor);
  }
}
