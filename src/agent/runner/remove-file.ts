import fs from 'node:fs';
import { codeOf } from '../../shared/kernel/errors.js';

/**
 * Removes a file that may not be there, which is no error on a read-only file system either. Throws the system's error:
 * that of fs.rmSync has no code on Node 24 where that knows none, such as EROFS.
 */
export function removeFile(name: string): void {
  if (!fs.lstatSync(name, { throwIfNoEntry: false })) return;
  try {
    fs.unlinkSync(name);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
