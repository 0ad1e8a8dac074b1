import fs from 'node:fs';
import { RunnerFailure } from './failure.js';

export interface FreeSpace {
  readonly bytes: number;
  /** undefined: the file system does not count them. */
  readonly inodes: number | undefined;
}

export function freeSpace(folder: string): FreeSpace {
  const { bavail, bsize, files, ffree } = fs.statfsSync(folder);
  return { bytes: bavail * bsize, inodes: files > 0 ? ffree : undefined };
}

/** @throws RunnerFailure when the files cannot fit; what others take meanwhile is found out when it happens */
export function demandSpace(folder: string, files: number, averageBytes: number): void {
  const free = freeSpace(folder);
  const needed = files * averageBytes;
  if (needed > free.bytes) {
    throw new RunnerFailure(
      'space',
      `the dataset needs ${gib(needed)} more on ${folder}, but only ${gib(free.bytes)} are free`,
    );
  }
  if (free.inodes !== undefined && files > free.inodes) {
    throw new RunnerFailure(
      'space',
      `the dataset needs ${String(files)} more files on ${folder}, but only ${String(free.inodes)} inodes are free`,
    );
  }
}

function gib(bytes: number): string {
  return bytes < 2 ** 30
    ? `${(bytes / 2 ** 20).toFixed(1)} MiB`
    : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
