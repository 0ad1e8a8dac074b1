import { codeOf, reasonOf } from '../../shared/kernel/errors.js';

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'disk full',
  EDQUOT: 'quota exceeded',
  EROFS: 'read-only file system',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'folder is gone',
  ENOTDIR: 'not a folder',
  EIO: 'I/O error',
  EFBIG: 'file too large',
  EMFILE: 'too many open files',
};

/** Why a file could not be written, in the few words that go into the message. */
export function writeFailureReason(thrown: unknown): string {
  const code = codeOf(thrown);
  if (code !== undefined) return reasons[code] ?? code;
  return reasonOf(thrown);
}

/** The line of the results page [RUN-18]. */
export function writeFailureLine(thrown: unknown): string {
  return `ERROR: Cannot write results to disk (${writeFailureReason(thrown)})`;
}
