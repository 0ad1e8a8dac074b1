import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { makeFolders, makeFoldersSync } from '../../../../src/shared/host/make-folders.js';
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
    makeFoldersSync('a/b/c', 0o700);
    makeFoldersSync('a/b/c');
    makeFoldersSync('a/b/d');
    assert.deepEqual(fs.readdirSync('a/b'), ['c', 'd']);
    assert.equal(fs.statSync('a').mode & 0o777, 0o700);
    fs.writeFileSync('a/file', '');
    assert.throws(() => makeFoldersSync('a/file'), { code: 'EEXIST' });
    assert.throws(() => makeFoldersSync('a/file/b/c'), { code: 'ENOTDIR' });
  });
});

test('[RUN-05] [SAFE-01] in a folder that somebody removed meanwhile, or in which nobody makes any, that ends', () => {
  within((folder) => {
    fs.rmdirSync(folder);
    assert.throws(() => makeFoldersSync('data/d0/d1'), { code: 'ENOENT' });
  });
  assert.throws(() => makeFoldersSync('/proc/muster/spool'), { code: 'ENOENT' });
});

test('[RPC-04] [RUN-18] off the loop it is the same, but that something else in its place is left to be found', async () => {
  const folder = temporaryFolder();
  const at = (name: string): string => `${folder.path}/${name}`;
  await makeFolders(at('a/b/c'), 0o700);
  await makeFolders(at('a/b/c'));
  assert.equal(fs.statSync(at('a')).mode & 0o777, 0o700);
  fs.writeFileSync(at('file'), '');
  await makeFolders(at('file'));
  await assert.rejects(makeFolders(at('file/b/c')), { code: 'ENOTDIR' });
  fs.symlinkSync('nowhere/at/all', at('dangling'));
  await assert.rejects(makeFolders(at('dangling/b')), { code: 'ENOENT' });
  await assert.rejects(makeFolders('/proc/muster/spool'), { code: 'ENOENT' });
  folder.remove();
});
