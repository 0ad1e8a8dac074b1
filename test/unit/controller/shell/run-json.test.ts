import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Manifest } from '../../../../src/controller/core/manifest.js';
import { RunJson } from '../../../../src/controller/shell/run-json.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { sampleRun } from '../../../support/recorded-run.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

/** run.json of the sample run; whether its next writing is still ahead shows in the clock's armed timers. */
function runJson(t: TestContext) {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const clock = new ManualClock();
  const manifest = new Manifest();
  for (const record of sampleRun({ agents: 40, seconds: 1 })) manifest.accept(record);
  const file = path.join(folder.path, 'run.json');
  const json = new RunJson(file, manifest, clock, (thrown) => {
    assert.fail(String(thrown));
  });
  return { json, clock, manifest, file };
}

test('[RES-04] run.json is written a second after the first of some news', async (t) => {
  const { json, clock, file } = runJson(t);
  json.changed();
  clock.advance(900);
  json.changed();
  assert.equal(clock.armed, 1);
  clock.advance(100);
  assert.equal(clock.armed, 0);
  await json.write();
  assert.ok(fs.existsSync(file));
  json.changed();
  clock.advance(999);
  assert.equal(clock.armed, 1);
  clock.advance(1);
  assert.equal(clock.armed, 0);
  await json.write();
});

test('[RES-04] written piece by piece, run.json is the document as JSON has it', async (t) => {
  const { json, manifest, file } = runJson(t);
  await json.write();
  const text = fs.readFileSync(file, 'utf8');
  assert.equal(text, `${JSON.stringify(manifest.document(), undefined, 2)}\n`);
});
