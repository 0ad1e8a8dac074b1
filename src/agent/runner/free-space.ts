import fs from 'node:fs';
import path from 'node:path';
import type { DatasetAssignment, FileRange } from '../../shared/model/assignment.js';
import { fileSizesOf } from './choosing/file-sizes.js';
import { RunnerFailure } from './failure.js';
import { counted, nounFor } from '../../shared/kernel/counted.js';

export interface FreeSpace {
  readonly bytes: number;
  /** undefined: the file system does not count them. */
  readonly inodes: number | undefined;
}

export function freeSpace(folder: string): FreeSpace {
  const { bavail, bsize, files, ffree } = fs.statfsSync(folder);
  return { bytes: bavail * bsize, inodes: files > 0 ? ffree : undefined };
}

/**
 * Of the files in `range` so many are `present`. The folder may have to be made yet.
 * @throws RunnerFailure when the others cannot fit; what others take meanwhile is found out when it happens
 */
export function demandSpace(
  folder: string,
  dataset: DatasetAssignment,
  range: FileRange,
  present = 0,
): void {
  const free = freeSpace(nearest(folder));
  const files = range.to - range.from - present;
  const needed = files * averageBytes(dataset, range);
  if (needed > free.bytes) {
    throw new RunnerFailure(
      'space',
      `the dataset needs ${sizeText(needed)} more on ${folder}, but only ${sizeText(free.bytes)} are free`,
    );
  }
  if (free.inodes !== undefined && files > free.inodes) {
    throw new RunnerFailure(
      'space',
      `the dataset needs ${counted(files, 'more file')} on ${folder}, but only ${counted(free.inodes, 'inode')} ${nounFor(free.inodes, 'is', 'are')} free`,
    );
  }
}

export function averageBytes(dataset: DatasetAssignment, { from, to }: FileRange): number {
  return fileSizesOf(dataset).sum(from, to) / Math.max(1, to - from);
}

function nearest(folder: string): string {
  return fs.existsSync(folder) ? folder : nearest(path.dirname(folder));
}

function sizeText(bytes: number): string {
  const units = ['MiB', 'GiB', 'TiB', 'PiB'];
  const larger = Math.floor(Math.log2(Math.max(1, bytes / 2 ** 20)) / 10);
  const unit = Math.min(units.length - 1, larger);
  return `${(bytes / 2 ** (20 + 10 * unit)).toFixed(1)} ${units[unit] ?? ''}`;
}
