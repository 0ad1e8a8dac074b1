import assert from 'node:assert/strict';
import { appendFile, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  isDriven,
  isWritten,
  keepSecret,
  readSecret,
} from '../../../../src/controller/shell/run-secret.js';
import { processMark } from '../../../../src/shared/host/process-mark.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const run = { runId: '7f3a', secret: 'hidden', host: hostname(), pid: process.pid };

test('[RUN-10] who drives a run is known by more than the number of its process, which is another one after a crash', async (t) => {
  const { path: folder, remove } = temporaryFolder();
  t.after(remove);
  await keepSecret(folder, run.runId, run.secret);
  const kept = await readSecret(folder);
  assert.ok(kept);
  assert.equal(isDriven(kept), true);
  assert.equal(isDriven({ ...kept, start: '1' }), false, 'the number is taken by another process');
  assert.equal(isDriven({ ...kept, scope: 'of another boot' }), undefined);
  assert.equal(isDriven({ ...kept, host: 'elsewhere' }), undefined);
  // Nobody can have this number.
  assert.equal(isDriven({ ...kept, pid: 2 ** 30 }), false);
});

test('[RUN-10] a secret that says nothing but the number of a process, of an older version, is judged by that', async (t) => {
  const { path: folder, remove } = temporaryFolder();
  t.after(remove);
  await keepSecret(folder, run.runId, run.secret);
  const path = join(folder, 'run.secret');
  const json = JSON.parse(await readFile(path, 'utf8')) as object;
  assert.deepEqual(json, { ...run, ...processMark() });
  await writeFile(path, JSON.stringify(run));
  const kept = await readSecret(folder);
  assert.ok(kept);
  assert.equal(isDriven(kept), true);
  assert.equal(isDriven({ ...kept, pid: 2 ** 30 }), false);
});

test('[RUN-10] whether a run elsewhere goes on is seen by its journal, which grows, and not by the clocks of two hosts', async (t) => {
  const { path: folder, remove } = temporaryFolder();
  t.after(remove);
  const journal = join(folder, 'journal.ndjson');
  const clock = new ManualClock();
  /** Dates it `aheadS` seconds from here; `grow` once it is being watched. */
  const answer = async (aheadS: number, grow: boolean): Promise<boolean> => {
    const date = Date.now() / 1000 + aheadS;
    await writeFile(journal, 'a line\n');
    await utimes(journal, date, date);
    const watched = { isOver: false };
    const written = isWritten(journal, clock).finally(() => (watched.isOver = true));
    const look = () =>
      eventually('a look', 10_000, () => watched.isOver || clock.armed === 1 || undefined);
    await look();
    if (grow) {
      await appendFile(journal, 'another line\n');
      await utimes(journal, date, date);
    }
    while (!watched.isOver) {
      clock.advance(500);
      await look();
    }
    return written;
  };
  for (const aheadS of [-3600, 0, 3600]) {
    assert.equal(await answer(aheadS, true), true, `${String(aheadS)} s, a run that goes on`);
    assert.equal(await answer(aheadS, false), false, `${String(aheadS)} s, one that does not`);
  }
});
