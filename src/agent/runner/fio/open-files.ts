import type { DatasetAssignment, StageAssignment } from '../../../shared/model/assignment.js';
import { roomForFiles } from '../open-files.js';
import type { FioDataset } from './job-file.js';

/** In order, fio leaves a file that it has gone through for the next one: more at once keep no device busier. */
const mostInOrder = 256;

type Stage = Pick<StageAssignment, 'access' | 'threads'>;

/** Out of order fio chooses among its open files alone, and never closes one for another: they have to be all. */
export function fioDataset(
  { access, threads }: Stage,
  { use, content }: Pick<DatasetAssignment, 'use' | 'content'>,
): FioDataset {
  const files = use.to - use.from;
  const openFiles =
    access === 'sequential' ? Math.min(files, mostInOrder, roomForFiles(threads)) : files;
  return { files, openFiles, content };
}

/** Why the host does not let each thread of fio open its files. */
export function fioOpenProblem({ threads }: Stage, { openFiles }: FioDataset): string | undefined {
  const room = roomForFiles(threads);
  if (openFiles <= room) return undefined;
  return `fio chooses among the files that it has open, so all ${String(openFiles)} have to be in every thread, and the limit of open files leaves room for ${String(room)}: raise it (ulimit -n), or use sequential, or fewer files or threads`;
}
