import fs from 'node:fs';
import { operationKinds } from '../../shared/model/operation.js';
import type {
  BlockingEngine,
  EngineContext,
  EngineDefinition,
  Operation,
  StageOptions,
} from './engine.js';
import { makeFoldersSync } from '../../shared/host/make-folders.js';
import { stageOptionsSchema } from './engine.js';
import { FileAccess } from './file-access.js';
import { ConcurrentFileEngine } from './file-concurrent.js';
import { OpenFiles } from './file-open.js';

/** Bound once: a property of the module object is looked up anew with every call. */
const {
  closeSync,
  readSync,
  writeSync,
  statSync,
  readdirSync,
  renameSync,
  unlinkSync,
  mkdirSync,
  rmdirSync,
} = fs;

/**
 * Blocking system calls through `fs.*Sync`, one operation in flight per worker, as fio's psync. Flags are numbers and
 * paths plain strings relative to the working directory: both cost less per call (measured).
 */
class FileEngine implements BlockingEngine {
  readonly kind = 'blocking';
  readonly #options: StageOptions;
  readonly #context: EngineContext;
  readonly #access: FileAccess;
  readonly #open: OpenFiles | undefined;

  constructor(options: StageOptions, context: EngineContext) {
    this.#options = options;
    this.#context = context;
    this.#access = new FileAccess(options, context);
    const { kinds } = context;
    if (kinds.has('put') || kinds.has('mkdir') || kinds.has('rename')) {
      makeFoldersSync(context.paths.churnHome(context.lane));
    }
    if (kinds.has('read') || kinds.has('write')) {
      this.#open = new OpenFiles(context.files, context.openFiles, (index) =>
        this.#access.openForBlocks(index),
      );
    }
  }

  get mechanism(): string {
    return ['psync', ...this.#access.words].join(' ');
  }

  get blocks(): BlockingEngine['blocks'] {
    const descriptors = this.#open?.all;
    if (descriptors === undefined || this.#access.syncsMeanwhile) return undefined;
    const kinds = new Set<'read' | 'write'>();
    for (const kind of this.#context.kinds) {
      if (kind !== 'read' && kind !== 'write') return undefined;
      kinds.add(kind);
    }
    return { kinds, descriptors };
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
      this.#open?.forEach(this.#access.syncNow);
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
    if (this.#access.syncIsDue()) this.#access.syncNow(descriptor);
    return written;
  }

  #get(operation: Operation, buffer: Uint8Array): number {
    const descriptor = this.#access.openToRead(this.#context.paths.file(operation.file));
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
    const descriptor = this.#access.create(paths.churnFile(operation.lane, operation.entry));
    try {
      let total = 0;
      while (total < operation.bytes) {
        const length = Math.min(buffer.length, operation.bytes - total);
        const at = content.take(operation, buffer, length);
        const count = writeSync(descriptor, content.bytes, at, length, total);
        if (count === 0) break;
        total += count;
      }
      if (this.#options.fsync === 'end' || this.#access.syncIsDue()) {
        this.#access.syncNow(descriptor);
      }
      return total;
    } finally {
      closeSync(descriptor);
    }
  }
}

export const fileEngine: EngineDefinition<StageOptions> = {
  name: 'file',
  options: stageOptionsSchema,
  supports: new Set(operationKinds),
  concurrent: new Set(['read', 'write']),
  needsDataset: true,
  open: (options, context) =>
    new Promise((resolve) => {
      resolve(
        options.iodepth > 1
          ? new ConcurrentFileEngine(options, context)
          : new FileEngine(options, context),
      );
    }),
};
