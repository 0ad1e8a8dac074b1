import fs from 'node:fs';
import { codeOf } from '../../shared/kernel/errors.js';
import { holesOf } from '../core/holes.js';
import { syncWords } from '../core/io-words.js';
import { UnfitDataset } from './engine.js';
import type { EngineContext, StageOptions } from './engine.js';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_DIRECT, O_NOATIME, O_NOFOLLOW } =
  fs.constants;

const syncFlags = { none: 0, o_sync: fs.constants.O_SYNC, o_dsync: fs.constants.O_DSYNC };

/** How a stage opens its files and forces data out: the kernel's flags, and what becomes of them. */
export class FileAccess {
  readonly #options: StageOptions;
  readonly #context: EngineContext;
  /** Of the dataset's files; O_NOATIME only as long as the file system lets us. */
  #flags = 0;
  /** Writes between two syncs; 0: none during the stage. */
  readonly #syncEvery: number = 0;
  #unsynced = 0;
  #hasWarnedOfHoles = false;

  constructor(options: StageOptions, context: EngineContext) {
    this.#options = options;
    this.#context = context;
    this.#flags = O_NOFOLLOW | (options.direct ? O_DIRECT : 0) | (options.noatime ? O_NOATIME : 0);
    const { fsync } = options;
    this.#syncEvery = typeof fsync === 'number' ? fsync : fsync === 'every' ? 1 : 0;
  }

  /** What of the options is in force: `O_DIRECT fdatasync 8`. */
  get words(): readonly string[] {
    return [
      ...(this.#flags & O_DIRECT ? ['O_DIRECT'] : []),
      ...(this.#flags & O_NOATIME ? ['O_NOATIME'] : []),
      ...syncWords(this.#options),
    ];
  }

  /** For the reads and writes of the stage's mix. @throws UnfitDataset when reading it would measure nothing */
  openForBlocks(file: number): number {
    const { kinds, paths, verifies = false } = this.#context;
    const mode = !kinds.has('write') ? O_RDONLY : kinds.has('read') ? O_RDWR : O_WRONLY;
    const path = paths.file(file);
    const writing = mode === O_RDONLY ? 0 : syncFlags[this.#options.sync];
    const descriptor = this.#open(path, mode | writing);
    try {
      paths.verify?.(file, descriptor);
      if (kinds.has('read') && !verifies) this.#refuseHoles(path, descriptor);
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
    return descriptor;
  }

  openToRead(path: string): number {
    return this.#open(path, O_RDONLY);
  }

  create(path: string): number {
    const flags = O_WRONLY | O_CREAT | O_EXCL | (this.#flags & ~O_NOATIME);
    return fs.openSync(path, flags | syncFlags[this.#options.sync], 0o644);
  }

  /** Some writes are followed by a sync. */
  get syncsMeanwhile(): boolean {
    return this.#syncEvery > 0;
  }

  /** To be asked once per write. */
  syncIsDue(): boolean {
    if (this.#syncEvery === 0 || ++this.#unsynced < this.#syncEvery) return false;
    this.#unsynced = 0;
    return true;
  }

  readonly syncNow = (descriptor: number): void => {
    if (this.#options.fdatasync) fs.fdatasyncSync(descriptor);
    else fs.fsyncSync(descriptor);
  };

  syncLater(descriptor: number, done: (error: Error | null) => void): void {
    if (this.#options.fdatasync) fs.fdatasync(descriptor, done);
    else fs.fsync(descriptor, done);
  }

  /** O_NOATIME needs ownership of the file: without it the file is opened as usual, and that is said once. */
  #open(path: string, mode: number): number {
    try {
      return fs.openSync(path, mode | this.#flags);
    } catch (error) {
      if ((this.#flags & O_NOATIME) === 0 || codeOf(error) !== 'EPERM') throw error;
      const descriptor = fs.openSync(path, mode | (this.#flags & ~O_NOATIME));
      this.#flags &= ~O_NOATIME;
      this.#context.warn('noatime is off: the files belong to another user');
      return descriptor;
    }
  }

  #refuseHoles(path: string, descriptor: number): void {
    const stat = fs.fstatSync(descriptor);
    if (!stat.isFile()) return;
    const holes = holesOf(path, stat, () => fs.statfsSync(path).type);
    if (holes?.isCertain === true) throw new UnfitDataset(holes.words);
    if (holes === undefined || this.#hasWarnedOfHoles) return;
    this.#hasWarnedOfHoles = true;
    this.#context.warn(holes.words);
  }
}
