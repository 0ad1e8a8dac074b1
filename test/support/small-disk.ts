import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { mountSmallDisk } from '../../src/controller/shell/rehearsal/small-disk.js';

/** A small file system of its own, or undefined (and the test says so) where this process may not mount one. */
export async function smallDisk(t: TestContext, options: string): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-disk-'));
  const disk = await mountSmallDisk(folder, options);
  if ('why' in disk) {
    rmdirSync(folder);
    t.skip(`left out: ${disk.why}`);
    return undefined;
  }
  t.after(async () => {
    await disk.unmount();
    rmdirSync(folder);
  });
  return folder;
}

/** Takes what is left of the file system, while others write to it as well; the path of the file that did. */
export function fill(folder: string): string {
  const path = join(folder, 'filler');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(4096);
  const write = (): never => {
    for (;;) writeSync(file, block);
  };
  try {
    assert.throws(write, { code: 'ENOSPC' });
  } finally {
    closeSync(file);
  }
  return path;
}
