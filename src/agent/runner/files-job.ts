import fs from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../shared/kernel/errors.js';
import { fileSizesOf } from './choosing/file-sizes.js';
import type { FileSizes } from './choosing/file-sizes.js';
import { poolFor } from './content/content-pool.js';
import type { Operation, WriteContent } from '../engines/engine.js';
import { holesOf } from '../core/holes.js';
import { filePath, leavesOf } from './dataset-layout.js';
import { RunnerFailure, failureFrom } from './failure.js';
import { FileRanges } from './file-ranges.js';
import type { FilesJob, WorkerEvent } from './jobs.js';
import { forgetHistory } from './verify/forget-history.js';
import { makeFoldersSync } from '../../shared/host/make-folders.js';
import { PreparedPattern } from './verify/pattern-content.js';
import { patternOf } from './verify/verification.js';
import { RunControl, nextChunk } from './shared-memory.js';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECT } = fs.constants;
/** Files from this size on are forced to the device one by one. */
const largeBytes = 1024 * 1024;

/** Tells the content of prepare from that of a stage. */
const prepareKey = 0x9ae9a5e0;

const doing = { make: 'write', create: 'create', check: 'look at', remove: 'remove' } as const;

const wholeFile: Operation = {
  kind: 'write',
  file: 0,
  offset: 0,
  bytes: 0,
  lane: 0,
  entry: 0,
  to: 0,
};

/** Takes pieces of the agent's part of the dataset until none is left, or the runner stops. */
export function runFilesJob(job: FilesJob, say: (event: WorkerEvent) => void): void {
  const control = new RunControl(job.control);
  const progress = new Float64Array(job.progress);
  const work = new FileWork(job, control, progress, say);
  const { from: first, to: end } = job.dataset.own;
  say({ kind: 'filesBegin' });
  while (!control.isStopped) {
    const from = first + Atomics.add(control.flags, nextChunk, 1) * job.filesPerChunk;
    const to = Math.min(from + job.filesPerChunk, end);
    if (from >= end) break;
    let file = from;
    while (file < to && work.carryOut(file)) {
      file++;
      progress[0] = (progress[0] ?? 0) + 1;
    }
    say({ kind: 'files', from, to: file });
  }
  say({ kind: 'filesDone' });
}

class FileWork {
  readonly #job: FilesJob;
  readonly #control: RunControl;
  readonly #progress: Float64Array;
  readonly #listed: FileRanges;
  readonly #content: WriteContent | undefined;
  readonly #sizes: FileSizes;
  readonly #pieceBytes: number;
  readonly #flags: number;
  /** By leaf: 1 for a folder known to be a real one, not a link to elsewhere. A byte each: there may be a million. */
  readonly #safe: Uint8Array;
  readonly #say: (event: WorkerEvent) => void;
  #hasForgotten = false;
  /** Why the file looked at last is not whole. */
  #holes: string | undefined;

  constructor(
    job: FilesJob,
    control: RunControl,
    progress: Float64Array,
    say: (event: WorkerEvent) => void,
  ) {
    this.#say = say;
    this.#job = job;
    this.#control = control;
    this.#progress = progress;
    this.#listed = new FileRanges(job.listed);
    const { fileSizeBytes, content, own } = job.dataset;
    this.#sizes = fileSizesOf(job.dataset);
    this.#safe = new Uint8Array(leavesOf(job.dataset.directories));
    const { prepare } = job.dataset;
    this.#pieceBytes = prepare === 'none' ? 1 : prepare.blockSizeBytes;
    const isDirect = prepare !== 'none' && prepare.direct;
    this.#flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | (isDirect ? O_DIRECT : 0);
    if (job.kind === 'make') {
      const totalBytes = this.#sizes.sum(own.from, own.to);
      const use = {
        workers: job.workers,
        leastBytes: Math.min(this.#pieceBytes, fileSizeBytes),
        totalBytes,
      };
      this.#content = job.dataset.verify
        ? new PreparedPattern(patternOf(job.dataset, job.owner), job.salt >>> 0, use.leastBytes)
        : poolFor(content, use, [job.salt, prepareKey, job.owner, own.from, job.worker]);
    }
  }

  /** @returns false when it was stopped before the file was done */
  carryOut(file: number): boolean {
    if (this.#control.isStopped) return false;
    const name = filePath(file, this.#job.dataset.directories);
    try {
      return this.#carryOut(name, file);
    } catch (error) {
      const { kind, dataset } = this.#job;
      throw failureFrom(error, `cannot ${doing[kind]} ${name} of dataset "${dataset.name}"`);
    }
  }

  #carryOut(name: string, file: number): boolean {
    switch (this.#job.kind) {
      case 'make':
      case 'create':
        return this.#listed.has(file) && this.#isWhole(name, file) ? true : this.#make(name, file);
      case 'check':
        if (this.#isWhole(name, file)) return true;
        throw new RunnerFailure(
          'dataset',
          `dataset "${this.#job.dataset.name}": ${this.#holes ?? `${name} is missing or has another size`}`,
        );
      case 'remove':
        this.#remove(name, file);
        return true;
    }
  }

  /** A file with holes is not: it is made anew, or refused. */
  #isWhole(name: string, file: number): boolean {
    this.#holes = undefined;
    const found = fs.lstatSync(name, { throwIfNoEntry: false });
    if (found?.isFile() !== true || found.size !== this.#sizes.of(file)) return false;
    if (!this.#job.refusesHoles) return true;
    const holes = holesOf(name, found, () => fs.statfsSync(name).type);
    if (holes?.isCertain === false) this.#say({ kind: 'warning', line: holes.words });
    if (holes?.isCertain !== true) return true;
    this.#holes = holes.words;
    return false;
  }

  #make(name: string, file: number): boolean {
    // None is needed for files that are only created.
    const content = this.#content;
    const size = this.#sizes.of(file);
    this.#forgetHistory();
    const descriptor = this.#create(name, file);
    try {
      if (content !== undefined) {
        if (!this.#fill(descriptor, size, content, file)) return false;
        if (isSyncedAlone(size)) fs.fsyncSync(descriptor);
      }
      this.#count();
      return true;
    } finally {
      // On NFS it may be here that the disk turns out to be full.
      fs.closeSync(descriptor);
    }
  }

  /** Of files that are made anew it would say what is no longer true. */
  #forgetHistory(): void {
    if (this.#hasForgotten) return;
    this.#hasForgotten = true;
    forgetHistory();
  }

  /** What an interrupted prepare left of the file is removed; anything that is not a file stops us. */
  #create(name: string, file: number): number {
    try {
      this.#enter(path.dirname(name), file);
      if (fs.lstatSync(name, { throwIfNoEntry: false })?.isFile() === true) fs.unlinkSync(name);
      return fs.openSync(name, this.#flags, 0o644);
    } catch (error) {
      throw failureFrom(error, `cannot create ${name} of dataset "${this.#job.dataset.name}"`);
    }
  }

  #enter(folder: string, file: number): void {
    const leaf = file % this.#safe.length;
    if (this.#safe[leaf] === 1) return;
    makeFoldersSync(folder);
    if (!isRealFolder(folder)) {
      throw new RunnerFailure(
        'dataset',
        `${folder} of dataset "${this.#job.dataset.name}" is a link, or was removed`,
      );
    }
    this.#safe[leaf] = 1;
  }

  #fill(descriptor: number, size: number, content: WriteContent, file: number): boolean {
    const piece = { ...wholeFile, file };
    let at = 0;
    while (at < size) {
      if (this.#control.isStopped) return false;
      const length = Math.min(this.#pieceBytes, size - at);
      piece.offset = at;
      const place = content.take(piece, content.bytes, length);
      const written = fs.writeSync(descriptor, content.bytes, place, length, at);
      at += written;
      this.#progress[1] = (this.#progress[1] ?? 0) + written;
    }
    return true;
  }

  #count(): void {
    this.#progress[2] = (this.#progress[2] ?? 0) + 1;
  }

  #remove(name: string, file: number): void {
    const leaf = file % this.#safe.length;
    try {
      if (this.#safe[leaf] !== 1 && !isRealFolder(path.dirname(name))) return;
      this.#safe[leaf] = 1;
      fs.unlinkSync(name);
      this.#count();
    } catch (error) {
      const code = codeOf(error);
      // A folder by the name of one of ours is somebody else's: it stays.
      if (code !== 'ENOENT' && code !== 'EISDIR') throw error;
    }
  }
}

/**
 * Large files are forced to the device one by one, so that a stage does not compete with the dataset's write-back; for
 * small ones that would cost more than the writing.
 */
export function isSyncedAlone(fileSizeBytes: number): boolean {
  return fileSizeBytes >= largeBytes;
}

/** Is every part of the relative path a folder and no link? Nothing outside the dataset is ever reached otherwise. */
export function isRealFolder(relative: string): boolean {
  let partial = '';
  return relative.split('/').every((part) => {
    partial = partial === '' ? part : `${partial}/${part}`;
    return fs.lstatSync(partial, { throwIfNoEntry: false })?.isDirectory() === true;
  });
}
