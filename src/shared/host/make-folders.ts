import fs from 'node:fs';
import path from 'node:path';
import { codeOf } from '../kernel/errors.js';

/**
 * As `mkdir -p`. Not mkdir's own `recursive`: where the system says ENOENT and the parent is there (/proc, a working
 * directory that somebody removed) that tries for ever.
 * @throws what the system says
 */
export function makeFolders(folder: string, mode = 0o777, parentsMade = false): void {
  try {
    fs.mkdirSync(folder, mode);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST' && fs.statSync(folder).isDirectory()) return;
    const parent = path.dirname(folder);
    if (code !== 'ENOENT' || parentsMade || parent === folder) throw error;
    makeFolders(parent, mode);
    makeFolders(folder, mode, true);
  }
}
