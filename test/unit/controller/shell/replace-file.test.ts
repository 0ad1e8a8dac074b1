import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { leaveFolder, replaceFile } from '../../../../src/controller/shell/replace-file.js';
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

test('[RUN-09] in a folder that is left in haste no half of a file stays, and none is begun', async (t) => {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const said: unknown[] = [];
  const write = (name: string, chunks: AsyncIterable<string> | string): void => {
    const done = (outcome: unknown): number => said.push(outcome);
    replaceFile(path.join(folder.path, name), chunks).then(done, done);
  };
  const events = new EventEmitter();
  async function* chunks() {
    yield 'half ';
    const goesOn = once(events, 'goes on');
    events.emit('begun');
    await goesOn;
    yield 'of it';
    events.emit('over');
  }
  const begun = once(events, 'begun');
  write('histograms.hlog', chunks());
  await begun;
  assert.equal(fs.readdirSync(folder.path).length, 1);
  await leaveFolder(folder.path);
  assert.deepEqual(fs.readdirSync(folder.path), []);
  write('report.html', 'all of it');
  const isOver = once(events, 'over');
  events.emit('goes on');
  await isOver;
  const other = temporaryFolder();
  t.after(() => {
    other.remove();
  });
  // Takes as many turns as what was left would have needed.
  await replaceFile(path.join(other.path, 'other'), 'all of it');
  assert.deepEqual(fs.readdirSync(folder.path), []);
  assert.deepEqual(said, [], 'nothing is said to have failed');
});
