import { WASI } from 'node:wasi';
import type { BlockingEngine, Operation, WriteContent } from '../../engines/engine.js';
import type { ClockBase } from '../clock-base.js';
import { isPaced } from '../jobs.js';
import type { StageJob } from '../jobs.js';
import { memoryOf, pageBytes, pagesOf } from '../content/aligned-buffer.js';
import type { PageMemory } from '../content/aligned-buffer.js';
import { dataBlock } from '../content/fill-blocks.js';
import { blockBatchCode } from './block-batch-code.js';

interface Table {
  set(index: number, value: unknown): void;
}

type Run = (cells: number, from: number, to: number, deadlineNs: number, sliceNs: number) => number;

interface Imports {
  readonly wasi_snapshot_preview1: {
    readonly fd_fdstat_get: (file: number, at: number) => number;
  };
}

interface Exports {
  readonly run: Run;
  readonly pread: unknown;
  readonly pwrite: unknown;
}

/** Part of the language's platform, but not declared by @types/node. */
declare const WebAssembly: {
  readonly Table: new (limits: { initial: number; element: 'anyfunc' }) => Table;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
};

const filesPerInstance = 3;
/** An instance takes half a millisecond (measured), in every thread. */
const mostFiles = 48;
/** A memory has 4 GiB, and of large blocks only the storage's own time counts. */
const mostBlockBytes = 64 * 1024 * 1024;
const mostPlaces = 64;
/** Of WASI's `rights`: fd_seek, which all that name a place ask for, fd_read and fd_write. */
const seekRight = 4n;
const rightOf = { read: 2n, write: 64n } as const;
/** Where they are in its `fdstat`. */
const rightsAt = 8;

// Places in the cells, in bytes, as block-batch.wat has them.
const baseAt = 24;
const begunAt = 32;
const placesAt = 64;
const placeBytes = 40;
const fdstatAt = placesAt + mostPlaces * placeBytes;
/** Of a place's in doubles, and in words of four bytes. */
const ended = 3;
const fd = 2;
const element = 3;
const address = 4;
const length = 5;
const moved = 8;
const slotAt = 9;

export interface BlockBatchParts {
  readonly files: NonNullable<BlockingEngine['blocks']>;
  readonly firstFile: number;
  /** Of the largest operation. */
  readonly blockBytes: number;
  /** What is written; its memory has `spareBytesFor(blockBytes)` to spare. */
  readonly content: WriteContent;
  readonly clock: ClockBase;
  /** `run` begins nothing after so long. */
  readonly sliceNs: number;
}

/** Whether a stage is carried out so, as far as that can be known before its files are open. @param blockBytes of the largest operation */
export function isBatched(job: StageJob, blockBytes: number): boolean {
  const { stage, dataset, openFiles } = job;
  const files = dataset.use.to - dataset.use.from;
  const isAtOnce = stage.iodepth === 1 && !isPaced(stage) && !dataset.verify;
  return isAtOnce && files <= Math.min(mostFiles, openFiles) && blockBytes <= mostBlockBytes;
}

/** Of the memory of what is written, for what is read and for the table of operations. */
export function spareBytesFor(blockBytes: number): number {
  return pagesOf(blockBytes) * pageBytes + pageBytes;
}

/**
 * Reads and writes that are chosen beforehand and carried out one after the other by WebAssembly, through Node's WASI: the same
 * pread and pwrite, with less around them than `fs.readSync` has, and in code that all threads share (docs/decisions/0007).
 * Times are ns after the clock base.
 */
export class BlockBatch {
  /** How many operations it holds. */
  readonly capacity: number = 0;
  /** Where reads leave what they read. */
  readonly buffer: Uint8Array;
  readonly #firstFile: number = 0;
  readonly #instances: number = 0;
  readonly #content: WriteContent;
  readonly #readAt: number = 0;
  readonly #cells: number = 0;
  readonly #run: Run;
  readonly #sliceNs: number = 0.5;
  readonly #begun: Float64Array;
  readonly #doubles: Float64Array;
  readonly #words: Int32Array;

  private constructor(parts: BlockBatchParts, memory: PageMemory, run: Run, instances: number) {
    const { content, blockBytes, files, clock } = parts;
    this.#firstFile = parts.firstFile;
    this.#instances = instances;
    this.#content = content;
    this.#cells = cellsOf(memory);
    this.#readAt = this.#cells - pagesOf(blockBytes) * pageBytes;
    this.buffer = new Uint8Array(memory.buffer, this.#readAt, this.#cells - this.#readAt);
    this.#run = run;
    this.#sliceNs = parts.sliceNs;
    this.#doubles = new Float64Array(memory.buffer, this.#cells + placesAt);
    this.#begun = new Float64Array(memory.buffer, this.#cells + begunAt, 1);
    this.#words = new Int32Array(memory.buffer, this.#cells + placesAt);
    // What is chosen and not written yet must not be stamped anew: see ContentPool.take.
    const strideBytes = Math.ceil(blockBytes / dataBlock) * dataBlock;
    const writable = Math.max(1, Math.floor(content.bytes.length / strideBytes) - 1);
    this.capacity = files.kinds.has('write') ? Math.min(mostPlaces, writable) : mostPlaces;
    const baseNs = BigInt(clock.seconds) * 1_000_000_000n;
    new BigInt64Array(memory.buffer, this.#cells + baseAt, 1)[0] = baseNs;
  }

  /** @returns undefined where WASI does not take such files, or the content has no memory to spare */
  static over(parts: BlockBatchParts): BlockBatch | undefined {
    const { kinds, descriptors } = parts.files;
    const memory = memoryOf(parts.content.bytes);
    const pages = pagesOf(parts.content.bytes.length);
    const neededBytes = pages * pageBytes + spareBytesFor(parts.blockBytes);
    if (memory === undefined || memory.buffer.byteLength < neededBytes) return undefined;
    const needed = [...kinds].reduce((all, kind) => all | rightOf[kind], seekRight);
    const count = Math.ceil(descriptors.length / filesPerInstance);
    const table = new WebAssembly.Table({ initial: 2 * count, element: 'anyfunc' });
    const module = new WebAssembly.Module(Buffer.from(blockBatchCode, 'base64'));
    const at = cellsOf(memory) + fdstatAt;
    const view = new DataView(memory.buffer);
    let run: Run | undefined;
    for (let index = 0; index < count; index++) {
      const [stdin = 0, stdout = stdin, stderr = stdin] = descriptors.slice(
        index * filesPerInstance,
      );
      const wasi = new WASI({ version: 'preview1', stdin, stdout, stderr });
      const imports = wasi.getImportObject() as Imports;
      const instance = new WebAssembly.Instance(module, { ...imports, muster: { memory, table } });
      wasi.initialize(instance);
      table.set(index, instance.exports.pread);
      table.set(count + index, instance.exports.pwrite);
      run ??= instance.exports.run;
      for (let file = 0; file < filesPerInstance; file++) {
        if (imports.wasi_snapshot_preview1.fd_fdstat_get(file, at) !== 0) return undefined;
        if ((view.getBigUint64(at + rightsAt, true) & needed) !== needed) return undefined;
      }
    }
    return run && new BlockBatch(parts, memory, run, count);
  }

  /** @param slot the kind's place in the mix */
  put(place: number, operation: Operation, slot: number): void {
    const { offset, bytes } = operation;
    const isWrite = operation.kind === 'write';
    const file = operation.file - this.#firstFile;
    const instance = (file / filesPerInstance) | 0;
    const at = place * (placeBytes >> 2);
    const words = this.#words;
    this.#doubles[at >> 1] = offset;
    words[at + fd] = file - filesPerInstance * instance;
    words[at + element] = isWrite ? this.#instances + instance : instance;
    words[at + address] = isWrite
      ? this.#content.take(operation, this.buffer, bytes)
      : this.#readAt;
    words[at + length] = bytes;
    words[at + slotAt] = slot;
  }

  /** The reverse of `put`. */
  take(place: number, operation: Operation): void {
    const at = place * (placeBytes >> 2);
    const words = this.#words;
    const called = words[at + element]!;
    const isWrite = called >= this.#instances;
    const instance = isWrite ? called - this.#instances : called;
    operation.kind = isWrite ? 'write' : 'read';
    operation.offset = this.#doubles[at >> 1]!;
    operation.file = this.#firstFile + filesPerInstance * instance + words[at + fd]!;
    operation.bytes = words[at + length]!;
  }

  /**
   * From place `from` up to `to`, but not beyond an operation that failed or was short, nor when `sliceNs` are over;
   * none begins at `deadlineNs` or later.
   * @returns the place that comes next
   */
  run(from: number, to: number, deadlineNs: number): number {
    return this.#run(this.#cells, from, to, deadlineNs, this.#sliceNs);
  }

  /** When the first operation of the last run began; each further one began when the one before ended. */
  get begunNs(): number {
    return this.#begun[0]!;
  }

  endedNs(place: number): number {
    return this.#doubles[place * (placeBytes >> 3) + ended]!;
  }

  slot(place: number): number {
    return this.#words[place * (placeBytes >> 2) + slotAt]!;
  }

  bytes(place: number): number {
    return this.#words[place * (placeBytes >> 2) + length]!;
  }

  /** Bytes; below 0: less the number that WASI has for the error. */
  moved(place: number): number {
    return this.#words[place * (placeBytes >> 2) + moved]!;
  }
}

/** The last page. */
function cellsOf({ buffer }: PageMemory): number {
  return buffer.byteLength - pageBytes;
}
