import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { enterFolder } from '../../../../src/agent/runner/target.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

test('[SAFE-04] where a link took the place of a dataset’s folder nothing is done, also not later', (t) => {
  const folder = temporaryFolder();
  t.after(() => {
    process.chdir('/');
    folder.remove();
  });
  const [dataset, victim] = ['ds', 'victim'].map((name) => path.join(folder.path, name));
  assert.ok(dataset !== undefined && victim !== undefined);
  fs.mkdirSync(victim);
  fs.symlinkSync(victim, dataset);
  assert.throws(
    () => {
      enterFolder(dataset);
    },
    { message: `${dataset} leads to ${victim} now: a link took the place of a folder` },
  );
  assert.equal(process.cwd(), '/', 'names that are relative lead to nothing of anybody');
});
