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
  /** A bit for each file that was closed for another one; made when the first is. */
  #closed: Uint8Array | undefined;
  readonly #files: number = 0;

  constructor(
    files: { readonly from: number; readonly to: number },
    limit: number,
    open: (index: number) => number,
  ) {
    this.#open = open;
    this.#first = files.from;
    this.#files = files.to - files.from;
    this.#slots = Math.max(1, Math.min(this.#files, limit));
    this.#descriptors = new Int32Array(this.#slots).fill(-1);
    this.#owners = new Float64Array(this.#slots).fill(-1);
    try {
      for (let slot = 0; slot < Math.min(this.#slots, this.#files); slot++) {
        this.#reopen(slot, files.from + slot);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** One for each file; undefined when they share slots. */
  get all(): readonly number[] | undefined {
    return this.#slots < this.#files ? undefined : [...this.#descriptors];
  }

  /** Hot path. @throws a system error when the file has to be opened and cannot be */
  descriptor(index: number): number {
    const relative = index - this.#first;
    const slot = relative < this.#slots ? relative : relative % this.#slots;
    if (this.#owners[slot] !== index) this.#reopen(slot, index);
    return this.#descriptors[slot] ?? -1;
  }

  /**
   * Visits every file that has been open: those that are, then those that had to be closed, each opened once more for it.
   * @throws the first system error, after all have been visited
   */
  forEach(visit: (descriptor: number) => void): void {
    const errors: unknown[] = [];
    const attempt = (act: () => void): void => {
      try {
        act();
      } catch (error) {
        errors.push(error);
      }
    };
    const open = new Set(this.#owners);
    for (const descriptor of this.#descriptors) {
      if (descriptor >= 0) {
        attempt(() => {
          visit(descriptor);
        });
      }
    }
    for (let relative = 0; this.#closed !== undefined && relative < this.#files; relative++) {
      const index = this.#first + relative;
      if (open.has(index) || !isSet(this.#closed, relative)) continue;
      attempt(() => {
        visit(this.descriptor(index));
      });
    }
    if (errors.length > 0) throw errors[0];
  }

  /** @throws the first system error, after all have been closed */
  close(): void {
    const errors: unknown[] = [];
    for (let slot = 0; slot < this.#slots; slot++) {
      try {
        this.#release(slot);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  #reopen(slot: number, index: number): void {
    this.#remember(slot);
    this.#release(slot);
    this.#descriptors[slot] = this.#open(index);
    this.#owners[slot] = index;
  }

  #remember(slot: number): void {
    const relative = (this.#owners[slot] ?? -1) - this.#first;
    if (relative < 0) return;
    this.#closed ??= new Uint8Array(Math.ceil(this.#files / 8));
    this.#closed[relative >> 3]! |= 1 << (relative & 7);
  }

  #release(slot: number): void {
    const descriptor = this.#descriptors[slot] ?? -1;
    if (descriptor < 0) return;
    this.#descriptors[slot] = -1;
    this.#owners[slot] = -1;
    fs.closeSync(descriptor);
  }
}

function isSet(bits: Uint8Array, at: number): boolean {
  return ((bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
}
