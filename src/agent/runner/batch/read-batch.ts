import { WASI } from 'node:wasi';
import type { Operation } from '../../engines/engine.js';
import type { ClockBase } from '../clock-base.js';
import { readBatchCode } from './read-batch-code.js';

interface Memory {
  readonly buffer: ArrayBuffer;
}

interface Table {
  set(index: number, value: unknown): void;
}

type Run = (cells: number, from: number, to: number, deadlineNs: number, sliceNs: number) => number;

interface Imports {
  readonly wasi_snapshot_preview1: {
    readonly fd_fdstat_get: (file: number, at: number) => number;
  };
}

/** Part of the language's platform, but not declared by @types/node. */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number }) => Memory;
  readonly Table: new (limits: { initial: number; element: 'anyfunc' }) => Table;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: { readonly run: Run; readonly pread: unknown } };
};

const pageBytes = 65_536;
const filesPerInstance = 3;
/** An instance takes half a millisecond (measured), in every thread. */
const mostFiles = 48;
const capacity = 64;

/** fd_read and fd_seek of WASI's `rights`: what its pread asks for. */
const neededRights = 6n;
/** Where they are in its `fdstat`. */
const rightsAt = 8;

// Places in the cells, in bytes, as read-batch.wat has them.
const baseAt = 24;
const begunAt = 32;
const placesAt = 64;
const placeBytes = 32;
/** Behind the places. */
const fdstatAt = placesAt + capacity * placeBytes;

/**
 * Reads that are chosen beforehand and carried out one after the other by WebAssembly, through Node's WASI: the same pread,
 * with less around it than `fs.readSync` has, and in code that all threads share (docs/decisions/0007). Times are ns after
 * the clock base.
 */
export class ReadBatch {
  /** How many reads it holds. */
  readonly capacity = capacity;
  readonly #firstFile: number = 0;
  readonly #memory: Memory;
  readonly #cells: number = 0;
  readonly #run: Run;
  readonly #sliceNs: number = 0.5;
  readonly #doubles: Float64Array;
  readonly #words: Int32Array;

  private constructor(parts: {
    memory: Memory;
    cells: number;
    run: Run;
    firstFile: number;
    clock: ClockBase;
    sliceNs: number;
  }) {
    const { memory, cells } = parts;
    this.#firstFile = parts.firstFile;
    this.#memory = memory;
    this.#cells = cells;
    this.#run = parts.run;
    this.#sliceNs = parts.sliceNs;
    this.#doubles = new Float64Array(memory.buffer, cells, pageBytes / 8);
    this.#words = new Int32Array(memory.buffer, cells, pageBytes / 4);
    new BigInt64Array(memory.buffer, cells + baseAt, 1)[0] =
      BigInt(parts.clock.seconds) * 1_000_000_000n;
  }

  /**
   * @param descriptors of the files `firstFile` …
   * @param blockBytes of the largest read
   * @param sliceNs `run` begins no read after so long
   * @returns undefined where there are too many files, or WASI does not read from such
   */
  static over(
    descriptors: Iterable<number>,
    firstFile: number,
    blockBytes: number,
    clock: ClockBase,
    sliceNs: number,
  ): ReadBatch | undefined {
    const files = [...descriptors];
    if (files.length > mostFiles) return undefined;
    const pages = Math.ceil(blockBytes / pageBytes);
    const memory = new WebAssembly.Memory({ initial: pages + 1 });
    const cells = pages * pageBytes;
    const count = Math.ceil(files.length / filesPerInstance);
    const table = new WebAssembly.Table({ initial: count, element: 'anyfunc' });
    const module = new WebAssembly.Module(Buffer.from(readBatchCode, 'base64'));
    const view = new DataView(memory.buffer);
    let run: Run | undefined;
    for (let index = 0; index < count; index++) {
      const [stdin = 0, stdout = stdin, stderr = stdin] = files.slice(index * filesPerInstance);
      const wasi = new WASI({ version: 'preview1', stdin, stdout, stderr });
      const imports = wasi.getImportObject() as Imports;
      const instance = new WebAssembly.Instance(module, { ...imports, muster: { memory, table } });
      wasi.initialize(instance);
      table.set(index, instance.exports.pread);
      run ??= instance.exports.run;
      for (let file = 0; file < filesPerInstance; file++) {
        if (imports.wasi_snapshot_preview1.fd_fdstat_get(file, cells + fdstatAt) !== 0)
          return undefined;
        const rights = view.getBigUint64(cells + fdstatAt + rightsAt, true);
        if ((rights & neededRights) !== neededRights) return undefined;
      }
    }
    if (run === undefined) return undefined;
    return new ReadBatch({ memory, cells, run, firstFile, clock, sliceNs });
  }

  /** What was read last. */
  get buffer(): Uint8Array {
    return new Uint8Array(this.#memory.buffer);
  }

  put(place: number, { file, offset, bytes }: Operation): void {
    const double = (placesAt + place * placeBytes) >> 3;
    this.#doubles[double] = offset;
    this.#words[2 * double + 2] = file - this.#firstFile;
    this.#words[2 * double + 3] = bytes;
  }

  /** The reverse of `put`. */
  take(place: number, operation: Operation): void {
    const double = (placesAt + place * placeBytes) >> 3;
    operation.kind = 'read';
    operation.offset = this.#doubles[double]!;
    operation.file = this.#words[2 * double + 2]! + this.#firstFile;
    operation.bytes = this.#words[2 * double + 3]!;
  }

  /**
   * Reads from place `from` up to `to`, but not beyond a read that failed or was short, nor when `sliceNs` are
   * over; none begins at `deadlineNs` or later.
   * @returns the place that comes next
   */
  run(from: number, to: number, deadlineNs: number): number {
    return this.#run(this.#cells, from, to, deadlineNs, this.#sliceNs);
  }

  /** When the first read of the last run began; each further one began when the one before ended. */
  get begunNs(): number {
    return this.#doubles[begunAt >> 3]!;
  }

  endedNs(place: number): number {
    return this.#doubles[((placesAt + place * placeBytes) >> 3) + 2]!;
  }

  bytes(place: number): number {
    return this.#words[((placesAt + place * placeBytes) >> 2) + 3]!;
  }

  /** Bytes; below 0: less the number that WASI has for the error. */
  moved(place: number): number {
    return this.#words[((placesAt + place * placeBytes) >> 2) + 6]!;
  }
}
