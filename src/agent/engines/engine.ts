import type { z } from 'zod';
import type { StageAssignment } from '../../shared/model/assignment.js';
import type { Fsync, Sync } from '../../shared/model/plan.js';
import type { OperationKind } from '../../shared/model/operation.js';

/**
 * One operation to carry out. A worker has one such object and fills it anew each time, so an engine must not keep it.
 */
export interface Operation {
  kind: OperationKind;
  /** Number of the dataset's file: read, write, get, stat; list takes the folder that holds it. */
  file: number;
  /** Bytes from the start of the file: read, write. */
  offset: number;
  /** How many bytes a complete operation moves; 0 for those that move none. */
  bytes: number;
  /** Whose churn entry and which one: put, delete, rename, mkdir, rmdir. */
  lane: number;
  entry: number;
  /** rename: the entry's new number, in the worker's own lane. */
  to: number;
}

/** Where things lie, relative to the target's dataset folder (the working directory of the runner). */
export interface DatasetPaths {
  file(index: number): string;
  /** Whether an opened file is the one that was meant. @throws when not */
  verify?(index: number, descriptor: number): void;
  folderOf(index: number): string;
  /** Where a lane's churn entries lie; an engine makes it when it is opened. */
  churnHome(lane: number): string;
  churnFile(lane: number, entry: number): string;
  churnFolder(lane: number, entry: number): string;
}

/** What is written. One per worker. */
export interface WriteContent {
  /** Where `take` has put the bytes. */
  readonly bytes: Uint8Array;
  /**
   * Makes the next `length` bytes ready. Hot path.
   * @param buffer the operation's own
   * @returns their place in `bytes`, on a multiple of 4096
   */
  take(operation: Operation, buffer: Uint8Array, length: number): number;
}

export interface EngineContext {
  /** The worker's own lane. */
  readonly lane: number;
  readonly kinds: ReadonlySet<OperationKind>;
  readonly paths: DatasetPaths;
  /** Files `from` … `to`-1 are in use. */
  readonly files: { readonly from: number; readonly to: number };
  readonly fileSizeBytes: number;
  readonly blockSizeBytes: number;
  /** How many files this worker may hold open. */
  readonly openFiles: number;
  /** Every read is compared with what was written, so that holes are found by that. */
  readonly verifies?: boolean;
  /** What is written. */
  readonly content: WriteContent;
  /** Something the user should know about how operations are carried out. */
  readonly warn: (line: string) => void;
}

/** What is known to measure something else than the storage: files with holes, or shorter than they should be. */
export class UnfitDataset extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnfitDataset';
  }
}

interface AnyEngine {
  /** What does the I/O, for the results: `psync O_DIRECT`. */
  readonly mechanism: string;
  /** After the last operation of a stage: forces data out if the stage asks for it. @throws as perform */
  finish(): void;
  close(): void;
}

/**
 * Does I/O only: choosing, pacing, timing, counting and verifying stay outside, so every backend is measured alike.
 * One per worker.
 */
export interface BlockingEngine extends AnyEngine {
  readonly kind: 'blocking';
  /**
   * Where every operation is one pread or pwrite of a file that stays open, and nothing else: the kinds, and the files'
   * descriptors from `EngineContext.files.from` on. These may be carried out without `perform` (runner/batch).
   */
  readonly blocks?:
    | { readonly kinds: ReadonlySet<'read' | 'write'>; readonly descriptors: readonly number[] }
    | undefined;
  /**
   * @param buffer of `blockSizeBytes`, page-aligned
   * @returns the bytes moved; fewer than `operation.bytes` is an error that the caller counts as SHORT
   * @throws a system error with `code`, which the caller counts
   */
  perform(operation: Operation, buffer: Uint8Array): number;
}

/** @param moved bytes; @param error a system error with `code`, or null */
export type Completion = (error: Error | null, moved: number) => void;

/** Has many operations in flight on one thread. It may keep operation and buffer until it has called `done`. */
export interface ConcurrentEngine extends AnyEngine {
  readonly kind: 'concurrent';
  /** Whether libuv chooses what does the I/O (io_uring or threads), so that it has to be found out. */
  readonly usesLibuv: boolean;
  /** Begins an operation; `done` is called once, later. @throws a system error instead, when it cannot even begin */
  start(operation: Operation, buffer: Uint8Array, done: Completion): void;
}

export type Engine = BlockingEngine | ConcurrentEngine;

export interface EngineDefinition<Options> {
  /** Also the URI scheme of its targets. */
  readonly name: string;
  /**
   * Strict. Loaded only where plans are checked: a worker gets options that were, and zod would cost each thread 90 ms
   * of CPU time when it starts (measured).
   */
  readonly options: () => Promise<z.ZodType<Options>>;
  readonly supports: ReadonlySet<OperationKind>;
  /** A dataset has to be made under the target before its operations make sense. */
  readonly needsDataset: boolean;
  /** Of which a thread can have several in flight: with an `iodepth` above 1 the engine is a concurrent one. */
  readonly concurrent: ReadonlySet<OperationKind>;
  open(options: Options, context: EngineContext): Promise<Engine>;
}

/** What a stage says about how I/O is done. The null engine takes the same, so that any plan can be tried with it. */
export interface StageOptions {
  readonly direct: boolean;
  readonly noatime: boolean;
  readonly iodepth: number;
  readonly sync: Sync;
  readonly fsync: Fsync;
  readonly fdatasync: boolean;
}

export async function stageOptionsSchema(): Promise<z.ZodType<StageOptions>> {
  const { z } = await import('zod');
  return z.strictObject({
    direct: z.boolean(),
    noatime: z.boolean(),
    iodepth: z.int().min(1),
    sync: z.enum(['none', 'o_sync', 'o_dsync']),
    fsync: z.union([z.enum(['never', 'end', 'every']), z.int().min(1)]),
    fdatasync: z.boolean(),
  });
}

export function stageOptionsOf(stage: StageAssignment): StageOptions {
  const { direct, noatime, iodepth, sync, fsync, fdatasync } = stage;
  return { direct, noatime, iodepth, sync, fsync, fdatasync };
}

/** A file that is closed for another one may still have operations in flight: with an iodepth all stay open. */
export function tooManyToOpen(
  { from, to }: EngineContext['files'],
  room: number,
): string | undefined {
  if (to - from <= room) return undefined;
  return `iodepth above 1 needs all ${String(to - from)} files open in every thread, and the limit of open files leaves room for ${String(room)}: raise it (ulimit -n), or use fewer files or threads`;
}
