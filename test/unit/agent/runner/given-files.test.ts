import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { RunnerFailure } from '../../../../src/agent/runner/failure.js';
import { holdGiven } from '../../../../src/agent/runner/given-files.js';
import { assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const limits = { consent: { existing: true, devices: false, dropCaches: false }, roots: [] };

test('[SAFE-05] what took the place of a file after it was looked at, and before it was opened, is judged again', (t) => {
  const folder = temporaryFolder();
  const name = path.join(folder.path, 'a');
  fs.writeFileSync(name, 'x'.repeat(8192));
  const given = { kind: 'existing', paths: [name] } as const;
  const assignment = assignmentOf('file:', [stageOf()], { dataset: { given } });
  const original = fs.openSync;
  t.after(() => {
    fs.openSync = original;
    folder.remove();
  });
  fs.openSync = (opened, flags, mode) => {
    fs.unlinkSync(name);
    fs.mkdirSync(name);
    return original(opened, flags, mode);
  };
  assert.throws(
    () => holdGiven(given, assignment, limits),
    (error) =>
      error instanceof RunnerFailure &&
      error.message === `${name} is neither a regular file nor a block device`,
  );
});
