import type { Operation } from '../../engines/engine.js';

/** All blocks of all files in one numbering, file after file. A file's rest that is smaller than a block has none. */
export interface BlockSpace {
  readonly total: number;
  /** Sets the operation's file and offset. Hot path. */
  locate(block: number, operation: Operation): void;
}

/** Files of one size. */
export class EvenBlocks implements BlockSpace {
  readonly total: number;
  readonly #first: number;
  readonly #perFile: number;
  readonly #blockBytes: number;

  constructor(
    files: { readonly from: number; readonly to: number },
    perFile: number,
    blockBytes: number,
  ) {
    this.total = (files.to - files.from) * perFile;
    this.#first = files.from;
    this.#perFile = perFile;
    this.#blockBytes = blockBytes;
  }

  locate(block: number, operation: Operation): void {
    const file = Math.floor(block / this.#perFile);
    operation.file = this.#first + file;
    operation.offset = (block - file * this.#perFile) * this.#blockBytes;
  }
}
