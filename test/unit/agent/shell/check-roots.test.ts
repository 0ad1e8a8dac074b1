import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { checkRoots } from '../../../../src/agent/shell/check-roots.js';
import { ManualClock } from '../../../support/manual-clock.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'muster-roots-'));
after(() => {
  rmSync(folder, { recursive: true });
});

test('[SAFE-04] roots become absolute, and nothing is left waiting', async () => {
  const clock = new ManualClock();
  const relative = path.relative(process.cwd(), folder);
  assert.deepEqual(await checkRoots([folder, relative], clock), [folder, folder]);
  assert.equal(clock.armed, 0);
});

test('[SAFE-04] a root that is missing or no folder is named', async () => {
  const clock = new ManualClock();
  const file = path.join(folder, 'file');
  writeFileSync(file, '');
  const missing = path.join(folder, 'missing');
  await assert.rejects(checkRoots([folder, missing], clock), {
    message: `--root ${missing} does not exist`,
    exitCode: 2,
  });
  await assert.rejects(checkRoots([file], clock), {
    message: `--root ${file} is not a folder or device`,
  });
  await assert.rejects(checkRoots([`${file}/x`], clock), {
    message: /cannot be used: not a directory/,
  });
});

test('[SAFE-04] a root that does not answer is given up after 5 s', async () => {
  const clock = new ManualClock();
  const checked = checkRoots([folder], clock);
  clock.advance(5_000);
  await assert.rejects(checked, { message: /did not answer within 5s/ });
});
