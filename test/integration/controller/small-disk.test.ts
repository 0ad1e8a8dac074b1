import assert from 'node:assert/strict';
import { appendFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountSmallDisk } from '../../../src/controller/shell/rehearsal/small-disk.js';
import { atNextTurn } from '../../support/lane-load.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

test('[LINK-14] the disk of a rehearsal gets full also while others write to it', async (t) => {
  const folder = temporaryFolder();
  const disk = await mountSmallDisk(join(folder.path, 'disk'), 'size=20m');
  if ('why' in disk) {
    folder.remove();
    t.skip(disk.why);
    return;
  }
  t.after(async () => {
    await disk.unmount();
    folder.remove();
  });
  const state = { isFilling: true };
  const filling = disk.fill().finally(() => (state.isFilling = false));
  filling.catch(() => undefined);
  while (state.isFilling) {
    try {
      appendFileSync(join(disk.path, 'others'), Buffer.alloc(4096));
    } catch {
      // It is full already.
    }
    await new Promise<void>((resolve) => {
      atNextTurn(resolve);
    });
  }
  await filling;
  assert.equal(statfsSync(disk.path).bavail, 0);
});
