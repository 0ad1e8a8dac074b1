import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { reasonOf } from '../../src/shared/kernel/errors.js';

/** A small file system of its own, or undefined (and the test says so) where this process may not mount one. */
export function smallDisk(t: TestContext, options: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'muster-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'muster-test', folder], { stdio: 'pipe' });
  } catch (thrown) {
    rmdirSync(folder);
    const [why = ''] = reasonOf(thrown).split('\n');
    t.skip(`left out: mounting a tmpfs is not permitted here (${why})`);
    return undefined;
  }
  t.after(() => {
    execFileSync('umount', [folder]);
    rmdirSync(folder);
  });
  return folder;
}

/** Takes what is left of the file system; the path of the file that did. */
export function fill(folder: string): string {
  const path = join(folder, 'filler');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(path, Buffer.alloc(bavail * bsize));
  return path;
}
