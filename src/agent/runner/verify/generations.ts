import { dataBlock } from '../content/fill-blocks.js';

/**
 * The last write to every 4 KiB of the dataset, as far as it is known, shared by all workers of the agent. 0: not known to
 * have been written by a stage. Marked with a high bit: a write is under way.
 */
export class Generations {
  readonly #runs: readonly RunOfWrites[];
  /** [0]: the last number given; from [1] on one cell for every block. */
  readonly #cells: Int32Array;
  readonly #unitsPerFile: number;
  readonly #firstFile: number;
  /** Content of a block that two wrote at once: unknown until it is written again, in a later stage or by one alone. */
  readonly #disputed: number;

  constructor(
    shape: GenerationsShape,
    stage: number,
    { buffer, runs }: { readonly buffer: SharedArrayBuffer; readonly runs: readonly RunOfWrites[] },
  ) {
    this.#runs = runs;
    this.#cells = new Int32Array(buffer);
    this.#unitsPerFile = shape.unitsPerFile;
    this.#firstFile = shape.firstFile;
    this.#disputed = disputedBit | underWayBit | stage;
  }

  /** Key of the run that gave a number. */
  runOf(generation: number): number {
    return this.#runs.findLast(({ from }) => from <= generation)?.run ?? 0;
  }

  /** A number for a write, from this run's: when they are used up, they begin again. */
  next(): number {
    const own = this.#runs.at(-1)?.from ?? 1;
    const given = (Atomics.add(this.#cells, 0, 1) + 1 - own) >>> 0;
    return own + (given % (numberMask - own + 1));
  }

  /** What is known of a block: its generation, 0 for any, or -1 when it is not to be judged. */
  known(file: number, unit: number): number {
    const cell = Atomics.load(this.#cells, this.#index(file, unit));
    return (cell & underWayBit) === 0 ? cell : -1;
  }

  /** Before a write. @returns whether no other write was under way */
  begin(file: number, unit: number, generation: number): boolean {
    const before = Atomics.exchange(this.#cells, this.#index(file, unit), generation | underWayBit);
    if ((before & underWayBit) === 0) return true;
    // Left over from an earlier stage: whoever disputed it then has long finished.
    return (before & disputedBit) !== 0 && before !== this.#disputed;
  }

  /** After a write. @param isCertain it succeeded, and was alone when it began */
  end(file: number, unit: number, generation: number, isCertain: boolean): void {
    // Another write that began meanwhile has put its own mark, and will find that it was not alone.
    Atomics.compareExchange(
      this.#cells,
      this.#index(file, unit),
      generation | underWayBit,
      isCertain ? generation : this.#disputed,
    );
  }

  #index(file: number, unit: number): number {
    return 1 + (file - this.#firstFile) * this.#unitsPerFile + unit;
  }
}

/** Whether nobody knows what a block of this mark holds: two wrote it at once, or a write has failed or not ended. */
export function inDoubt(cell: number): boolean {
  return (cell & underWayBit) !== 0;
}

const underWayBit = 0x8000_0000 | 0;
const disputedBit = 0x4000_0000;
const numberMask = 0x3fff_ffff;

/** The writes of a run: from this number on, up to the next run's. */
export interface RunOfWrites {
  readonly from: number;
  /** Key of the run. */
  readonly run: number;
}

export interface GenerationsShape {
  readonly firstFile: number;
  readonly unitsPerFile: number;
}

/** 1 GiB of addresses, of which only what is written in the run takes memory: 1 TiB of data. */
export const mostGenerations = 2 ** 28;

export function unitsPerFile(fileSizeBytes: number): number {
  return Math.ceil(fileSizeBytes / dataBlock);
}
