import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { counted } from '../../shared/kernel/counted.js';
import { codeOf, MusterError } from '../../shared/kernel/errors.js';
import { exitCodes } from '../../shared/model/outcome.js';
import { makeFolders } from '../../shared/host/make-folders.js';
import { fileTime } from '../core/calendar.js';
import { replaceFile } from './replace-file.js';
import { writeFailureReason } from './write-failure.js';

/** Results of an hour with ten agents take some 20 MiB; with less than this there is no point in starting. */
const leastFreeBytes = 16 * 2 ** 20;
/** All files of a folder and itself, with what replaces one of them. */
const leastFreeFiles = 16n;
const attempts = 32;

export interface FolderRequest {
  /** `results.folder` of the plan or --results. */
  readonly parent: string;
  /** Name of the run. */
  readonly name: string;
  /** Content of config.yaml, the first file written. */
  readonly configText: string;
  /** Wall clock, for the name only. */
  readonly unixMs: number;
  /** Four hex digits; random when left out. */
  readonly suffix?: () => string;
}

/**
 * Makes `{parent}/{yyyymmdd-HHMMSS}-{name}-{4 hex}` (local time), which did not exist before, and proves that files can
 * be written, flushed and renamed there and that there is space. Throws MusterError 6 otherwise: before any load.
 */
export async function createResultsFolder(request: FolderRequest): Promise<string> {
  const { parent } = request;
  try {
    await makeFolders(parent);
    await demandRoom(parent);
    const path = await createNew(request);
    await replaceFile(join(path, 'config.yaml'), request.configText);
    return path;
  } catch (thrown) {
    throw notWritable(parent, thrown);
  }
}

/** What stops a run before it has begun. */
export function notWritable(parent: string, thrown: unknown): MusterError {
  if (thrown instanceof MusterError) return thrown;
  return new MusterError(`Cannot write results to ${parent} (${writeFailureReason(thrown)})`, {
    exitCode: exitCodes.resultsNotWritten,
    hint: 'Choose a writable folder with --results DIR.',
    cause: thrown,
  });
}

async function demandRoom(parent: string): Promise<void> {
  const { bavail, bsize, files, ffree } = await statfs(parent, { bigint: true });
  const tooLittle = (what: string): MusterError =>
    new MusterError(`Cannot write results to ${parent}: only ${what}`, {
      exitCode: exitCodes.resultsNotWritten,
      hint: 'Free some space, or use --results DIR.',
    });
  const freeBytes = bavail * bsize;
  if (freeBytes < leastFreeBytes) {
    throw tooLittle(`${String(freeBytes / 1024n)} KiB free, at least 16 MiB needed`);
  }
  // Some file systems do not count them, or say -1 (CephFS).
  if (files > 0n && ffree >= 0n && ffree < leastFreeFiles) {
    const free = counted(Number(ffree), 'inode');
    throw tooLittle(`${free} free, at least ${String(leastFreeFiles)} needed`);
  }
}

async function createNew(request: FolderRequest): Promise<string> {
  const suffix = request.suffix ?? (() => randomBytes(2).toString('hex'));
  const stem = `${fileTime(request.unixMs)}-${fileName(request.name)}`;
  for (let attempt = 1; ; attempt++) {
    const path = join(request.parent, `${stem}-${suffix()}`);
    try {
      await mkdir(path);
      return path;
    } catch (thrown) {
      if (codeOf(thrown) !== 'EEXIST' || attempt === attempts) throw thrown;
    }
  }
}

/** What every file system takes in a name, and not too long. */
function fileName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 64);
  return safe.replace(/^[.-]+/, '') || 'run';
}
