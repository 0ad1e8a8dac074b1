import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { replaceFile } from '../../../../src/controller/shell/replace-file.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const module = new URL('../../../../src/controller/shell/replace-file.js', import.meta.url).href;

test('[RES-02] two programs that replace a file at once each replace it whole', async (t) => {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const file = path.join(folder.path, 'summary.json');
  function* chunks() {
    yield 'first ';
    const script = `const { replaceFile } = await import('${module}');
      await replaceFile('${file}', 'of the other');`;
    const argv = ['--input-type=module', '--eval', script];
    const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.equal(fs.readFileSync(file, 'utf8'), 'of the other');
    yield 'last';
  }
  await replaceFile(file, chunks());
  assert.equal(fs.readFileSync(file, 'utf8'), 'first last');
  assert.deepEqual(fs.readdirSync(folder.path), ['summary.json']);
});
