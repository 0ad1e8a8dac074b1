import fs from 'node:fs';
import path from 'node:path';
import { codeOf } from '../kernel/errors.js';

/*
 * As `mkdir -p`. Not mkdir's own `recursive`: where the system says ENOENT and the parent is there (/proc, a working
 * directory that somebody removed) that tries for ever, and on a read-only file system it says ENOENT itself.
 */

/**
 * Off the loop. What is there already may be something else than a folder.
 * @returns false: it was there
 * @throws what the system says
 */
export async function makeFolders(
  folder: string,
  mode = 0o777,
  parentsMade = false,
): Promise<boolean> {
  try {
    await fs.promises.mkdir(folder, mode);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    const parent = parentToMake(folder, error, parentsMade);
    await makeFolders(parent, mode);
    return makeFolders(folder, mode, true);
  }
}

/**
 * For threads that do nothing else meanwhile.
 * @throws what the system says, EEXIST when something else than a folder is there
 */
export function makeFoldersSync(folder: string, mode = 0o777, parentsMade = false): void {
  try {
    fs.mkdirSync(folder, mode);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && fs.statSync(folder).isDirectory()) return;
    const parent = parentToMake(folder, error, parentsMade);
    makeFoldersSync(parent, mode);
    makeFoldersSync(folder, mode, true);
  }
}

/** A dangling link is there and not there: once is enough. @throws `error` where no parent is missing */
function parentToMake(folder: string, error: unknown, parentsMade: boolean): string {
  const parent = path.dirname(folder);
  if (codeOf(error) !== 'ENOENT' || parentsMade || parent === folder) throw error;
  return parent;
}
