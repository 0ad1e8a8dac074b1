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
  readonly #first: number = 0;
  // Doubles from the beginning (see Random), so that no product is a large integer all of a sudden.
  readonly #perFile: number = 0.5;
  readonly #filesPerBlock: number = 0.5;
  readonly #blockBytes: number = 0.5;

  constructor(
    files: { readonly from: number; readonly to: number },
    perFile: number,
    blockBytes: number,
  ) {
    this.total = (files.to - files.from) * perFile;
    this.#first = files.from;
    this.#perFile = perFile;
    // A product takes a quarter of the time of a quotient. Rounded up by two units in the last place, its floor is that of the
    // quotient for all blocks below 2^50: k × perFile blocks come to at least k, and one block less stays below k.
    this.#filesPerBlock = (1 + 2 ** -51) / perFile;
    this.#blockBytes = blockBytes;
  }

  locate(block: number, operation: Operation): void {
    const file = Math.floor(block * this.#filesPerBlock);
    operation.file = this.#first + file;
    operation.offset = (block - file * this.#perFile) * this.#blockBytes;
  }
}

/** Files of different sizes, by a table of how many blocks lie before each. */
export class UnevenBlocks implements BlockSpace {
  readonly total: number;
  readonly #first: number = 0;
  readonly #blockBytes: number = 0.5;
  readonly #table: BlockTable;

  constructor(
    files: { readonly from: number; readonly to: number },
    blockBytes: number,
    table: BlockTable,
  ) {
    this.total = table.before[files.to - files.from] ?? 0;
    this.#first = files.from;
    this.#blockBytes = blockBytes;
    this.#table = table;
  }

  locate(block: number, operation: Operation): void {
    const { before, guide, perGuide } = this.#table;
    let file = guide[Math.floor(block / perGuide)]!;
    while (before[file + 1]! <= block) file++;
    operation.file = this.#first + file;
    operation.offset = (block - before[file]!) * this.#blockBytes;
  }
}

/** Shared by all workers: 12 bytes a file. */
export interface BlockTable {
  /** Blocks before each file, and at the end all. */
  readonly before: Float64Array;
  /**
   * For every `perGuide` blocks the file in which the first of them lies, one entry per file: from there it is about one
   * step to any block (a guide table: H.-C. Chen and Y. Asau, 1974).
   */
  readonly guide: Uint32Array;
  readonly perGuide: number;
}

/** @param blocksOf of each file, in the order of their numbers */
export function blockTable(files: number, blocksOf: (file: number) => number): BlockTable {
  const before = new Float64Array(new SharedArrayBuffer((files + 1) * 8));
  for (let i = 0; i < files; i++) before[i + 1] = before[i]! + blocksOf(i);
  const perGuide = Math.max(1, Math.ceil(before[files]! / Math.max(1, files)));
  const guide = new Uint32Array(new SharedArrayBuffer(Math.max(1, files) * 4));
  for (let i = 0, file = 0; i < files; i++) {
    while (file < files - 1 && before[file + 1]! <= i * perGuide) file++;
    guide[i] = file;
  }
  return { before, guide, perGuide };
}
