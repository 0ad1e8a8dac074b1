import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { removeChurn } from '../../../../src/agent/runner/remove-churn.js';
import { filesBelow, temporaryFolder } from '../../../support/temporary-folder.js';

test('[SAFE-03] of what stages left only names that Muster gives are removed, in its own lanes', async (t) => {
  const folder = temporaryFolder();
  process.chdir(folder.path);
  t.after(() => {
    process.chdir('/');
    folder.remove();
  });
  const foreign = ['0/0/photo.jpg', '0/0/data.csv', '0/0/p1.bak', '0/mine/p1', '0/0x/p1', '1/0/p1'];
  for (const name of ['0/0/p1', '0/12/p7', ...foreign]) {
    fs.mkdirSync(path.join('churn', path.dirname(name)), { recursive: true });
    fs.writeFileSync(path.join('churn', name), '');
  }
  fs.mkdirSync('churn/0/0/d3');
  fs.mkdirSync('churn/0/0/downloads');
  assert.equal(await removeChurn(0, new AbortController().signal), 3);
  assert.deepEqual(filesBelow('churn'), foreign.sort());
  assert.deepEqual(fs.readdirSync('churn/0').sort(), ['0', '0x', 'mine']);
  assert.ok(fs.statSync('churn/0/0/downloads').isDirectory());
});
