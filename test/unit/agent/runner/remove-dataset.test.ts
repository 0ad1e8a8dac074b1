import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readMarker, writeMarker } from '../../../../src/agent/runner/dataset-files.js';
import type { Marker } from '../../../../src/agent/runner/dataset-files.js';
import { removeDataset } from '../../../../src/agent/runner/remove-dataset.js';
import type { RunnerParts } from '../../../../src/agent/runner/runner-parts.js';
import { RunControl } from '../../../../src/agent/runner/shared-memory.js';
import { systemClock } from '../../../../src/shared/kernel/system-clock.js';
import { assignmentOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

/** No file is to be removed, so no worker is needed. */
const parts = {
  clock: systemClock,
  pool: { carryOut: () => Promise.resolve() },
  control: new RunControl(),
  emit: () => undefined,
  signal: new AbortController().signal,
  salt: 0,
} as unknown as RunnerParts;

test('[SAFE-03] a dataset that takes the place of the one that is removed keeps its marker', async (t) => {
  const target = temporaryFolder();
  t.after(() => {
    process.chdir('/');
    target.remove();
  });
  const none = { from: 0, to: 0 };
  const assignment = assignmentOf(target.path, [], { dataset: { own: none, use: none } });
  const marker: Marker = {
    product: 'muster',
    version: 1,
    hash: assignment.dataset.hash,
    creator: 'tester@test',
    namespace: 'private',
    agents: 1,
    runId: assignment.runId,
  };
  const folder = path.join(target.path, 'ds1', '0');
  const aside = path.join(target.path, 'aside');
  fs.mkdirSync(folder, { recursive: true });
  writeMarker(folder, marker);
  const chdir = process.chdir.bind(process);
  t.mock.method(process, 'chdir', (to: string) => {
    chdir(to);
    if (to !== '/') return;
    fs.renameSync(folder, aside);
    fs.mkdirSync(folder);
    writeMarker(folder, { ...marker, runId: 'another' });
  });
  const { warnings } = await removeDataset(parts, assignment, folder);
  assert.deepEqual(warnings, [`${folder} was kept: it is not empty`]);
  assert.equal(readMarker(folder)?.runId, 'another');
  assert.equal(readMarker(aside), undefined);
});
