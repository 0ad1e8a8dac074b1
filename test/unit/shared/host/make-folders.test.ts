import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { makeFolders } from '../../../../src/shared/host/make-folders.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

/** In a working directory of its own. */
function within(work: (folder: string) => void): void {
  const folder = temporaryFolder();
  const before = process.cwd();
  process.chdir(folder.path);
  try {
    work(folder.path);
  } finally {
    process.chdir(before);
    folder.remove();
  }
}

test('folders are made with all above them, and may be there; something else in their place may not', () => {
  within(() => {
    makeFolders('a/b/c', 0o700);
    makeFolders('a/b/c');
    makeFolders('a/b/d');
    assert.deepEqual(fs.readdirSync('a/b'), ['c', 'd']);
    assert.equal(fs.statSync('a').mode & 0o777, 0o700);
    fs.writeFileSync('a/file', '');
    assert.throws(() => makeFolders('a/file'), { code: 'EEXIST' });
    assert.throws(() => makeFolders('a/file/b/c'), { code: 'ENOTDIR' });
  });
});

test('[RUN-05] [SAFE-01] in a folder that somebody removed meanwhile, or in which nobody makes any, that ends', () => {
  within((folder) => {
    fs.rmdirSync(folder);
    assert.throws(() => makeFolders('data/d0/d1'), { code: 'ENOENT' });
  });
  assert.throws(() => makeFolders('/proc/muster/spool'), { code: 'ENOENT' });
});
