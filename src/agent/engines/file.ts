import fs from 'node:fs';
import { codeOf } from '../../shared/kernel/errors.js';
import { operationKinds } from '../../shared/model/operation.js';
import type {
  BlockingEngine,
  EngineContext,
  EngineDefinition,
  Operation,
  StageOptions,
} from './engine.js';
import { stageOptionsSchema } from './engine.js';
import { OpenFiles } from './file-open.js';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_DIRECT, O_NOATIME, O_NOFOLLOW } =
  fs.constants;

/** Bound once: a property of the module object is looked up anew with every call. */
const {
  closeSync,
  readSync,
  writeSync,
  statSync,
  readdirSync,
  unlinkSync,
  mkdirSync,
  rmdirSync,
  renameSync,
} = fs;

/**
 * Blocking system calls through `fs.*Sync`, one operation in flight per worker, as fio's psync. Flags are numbers and
 * paths plain strings relative to the working directory: both cost less per call (measured).
 */
class FileEngine implements BlockingEngine {
  readonly #options: StageOptions;
  readonly #context: EngineContext;
  readonly #open: OpenFiles | undefined;
  /** O_DIRECT, and O_NOATIME as long as the file system lets us. */
  #extraFlags: number;
  /** Writes between two fsyncs; 0: none during the stage. */
  readonly #syncEvery: number;
  #unsynced = 0;

  constructor(options: StageOptions, context: EngineContext) {
    this.#options = options;
    this.#context = context;
    this.#extraFlags =
      O_NOFOLLOW | (options.direct ? O_DIRECT : 0) | (options.noatime ? O_NOATIME : 0);
    const { fsync } = options;
    this.#syncEvery = typeof fsync === 'number' ? fsync : fsync === 'every' ? 1 : 0;
    const { kinds } = context;
    if (kinds.has('put') || kinds.has('mkdir') || kinds.has('rename')) {
      mkdirSync(context.paths.churnHome(context.lane), { recursive: true });
    }
    if (kinds.has('read') || kinds.has('write')) {
      const mode = !kinds.has('write') ? O_RDONLY : kinds.has('read') ? O_RDWR : O_WRONLY;
      this.#open = new OpenFiles(context.files, context.openFiles, (index) =>
        this.#openVerified(index, mode),
      );
    }
  }

  get mechanism(): string {
    const { fsync } = this.#options;
    return [
      'psync',
      ...(this.#extraFlags & O_DIRECT ? ['O_DIRECT'] : []),
      ...(this.#extraFlags & O_NOATIME ? ['O_NOATIME'] : []),
      ...(fsync === 'never' ? [] : [`fsync ${String(fsync)}`]),
    ].join(' ');
  }

  perform(operation: Operation, buffer: Uint8Array): number {
    switch (operation.kind) {
      case 'read':
        return readSync(
          this.#descriptor(operation.file),
          buffer,
          0,
          operation.bytes,
          operation.offset,
        );
      case 'write':
        return this.#write(operation, buffer);
      case 'get':
        return this.#get(operation, buffer);
      case 'put':
        return this.#put(operation, buffer);
      case 'stat':
        statSync(this.#context.paths.file(operation.file));
        return 0;
      case 'list':
        readdirSync(this.#context.paths.folderOf(operation.file));
        return 0;
      case 'delete':
        unlinkSync(this.#context.paths.churnFile(operation.lane, operation.entry));
        return 0;
      case 'mkdir':
        mkdirSync(this.#context.paths.churnFolder(operation.lane, operation.entry));
        return 0;
      case 'rmdir':
        rmdirSync(this.#context.paths.churnFolder(operation.lane, operation.entry));
        return 0;
      case 'rename':
        renameSync(
          this.#context.paths.churnFile(operation.lane, operation.entry),
          this.#context.paths.churnFile(this.#context.lane, operation.to),
        );
        return 0;
      default:
        operation.kind satisfies never;
        throw new TypeError(`operation ${String(operation.kind)}`);
    }
  }

  finish(): void {
    if (this.#options.fsync === 'end' && this.#context.kinds.has('write')) {
      this.#open?.forEach(fs.fsyncSync);
    }
  }

  close(): void {
    this.#open?.close();
  }

  #descriptor(file: number): number {
    return this.#open === undefined ? -1 : this.#open.descriptor(file);
  }

  #write(operation: Operation, buffer: Uint8Array): number {
    const descriptor = this.#descriptor(operation.file);
    const { content } = this.#context;
    const at = content.take(operation, buffer, operation.bytes);
    const written = writeSync(descriptor, content.bytes, at, operation.bytes, operation.offset);
    if (this.#syncIsDue()) fs.fsyncSync(descriptor);
    return written;
  }

  #get(operation: Operation, buffer: Uint8Array): number {
    const descriptor = this.#openFile(this.#context.paths.file(operation.file), O_RDONLY);
    try {
      let total = 0;
      while (total < operation.bytes) {
        // O_DIRECT wants whole blocks even for the rest of a file.
        const length = this.#options.direct
          ? buffer.length
          : Math.min(buffer.length, operation.bytes - total);
        const count = readSync(descriptor, buffer, 0, length, total);
        if (count === 0) break;
        total += count;
      }
      return total;
    } finally {
      closeSync(descriptor);
    }
  }

  #put(operation: Operation, buffer: Uint8Array): number {
    const { content, paths } = this.#context;
    const path = paths.churnFile(operation.lane, operation.entry);
    const flags = O_WRONLY | O_CREAT | O_EXCL | (this.#extraFlags & ~O_NOATIME);
    const descriptor = fs.openSync(path, flags, 0o644);
    try {
      let total = 0;
      while (total < operation.bytes) {
        const length = Math.min(buffer.length, operation.bytes - total);
        const at = content.take(operation, buffer, length);
        const count = writeSync(descriptor, content.bytes, at, length, total);
        if (count === 0) break;
        total += count;
      }
      if (this.#options.fsync === 'end' || this.#syncIsDue()) fs.fsyncSync(descriptor);
      return total;
    } finally {
      closeSync(descriptor);
    }
  }

  #syncIsDue(): boolean {
    if (this.#syncEvery === 0 || ++this.#unsynced < this.#syncEvery) return false;
    this.#unsynced = 0;
    return true;
  }

  #openVerified(index: number, mode: number): number {
    const { paths } = this.#context;
    const descriptor = this.#openFile(paths.file(index), mode);
    try {
      paths.verify?.(index, descriptor);
      return descriptor;
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** O_NOATIME needs ownership of the file: without it the file is opened as usual, and that is said once. */
  #openFile(path: string, mode: number): number {
    try {
      return fs.openSync(path, mode | this.#extraFlags);
    } catch (error) {
      if ((this.#extraFlags & O_NOATIME) === 0 || codeOf(error) !== 'EPERM') throw error;
      const descriptor = fs.openSync(path, mode | (this.#extraFlags & ~O_NOATIME));
      this.#extraFlags &= ~O_NOATIME;
      this.#context.warn('noatime is off: the files belong to another user');
      return descriptor;
    }
  }
}

export const fileEngine: EngineDefinition<StageOptions> = {
  name: 'file',
  options: stageOptionsSchema,
  supports: new Set(operationKinds),
  needsDataset: true,
  open: (options, context) =>
    new Promise((resolve) => {
      resolve(new FileEngine(options, context));
    }),
};
