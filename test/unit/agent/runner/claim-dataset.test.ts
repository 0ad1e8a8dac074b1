import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { claimDataset } from '../../../../src/agent/runner/claim-dataset.js';
import { readMarker, writeMarker } from '../../../../src/agent/runner/dataset-files.js';
import type { Marker } from '../../../../src/agent/runner/dataset-files.js';
import { Aborted, RunnerFailure } from '../../../../src/agent/runner/failure.js';
import type { Clock } from '../../../../src/shared/kernel/clock.js';
import { systemClock } from '../../../../src/shared/kernel/system-clock.js';
import { assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

/** Claims the dataset below a target, for a run that is told to stop. */
function claiming(t: TestContext) {
  const { path: target, remove } = temporaryFolder();
  t.after(remove);
  const folder = path.join(target, 'ds1', '0');
  const assignment = assignmentOf(target, [stageOf({ durationMs: 50 })], {});
  const signal = AbortSignal.abort('another agent failed');
  const claim = () => claimDataset({ folder, assignment, clock: systemClock, signal });
  return { target, folder, claim };
}

test('[SAFE-01] an agent that is told to stop before it has begun makes nothing', async (t) => {
  const { target, claim } = claiming(t);
  await assert.rejects(claim, Aborted);
  assert.deepEqual(fs.readdirSync(target), []);
});

test('[RUN-05] an agent that is told to stop says first what is wrong with its dataset’s folder', async (t) => {
  const { folder, claim } = claiming(t);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'thesis.txt'), 'precious');
  await assert.rejects(claim, RunnerFailure);
});

test('[SAFE-01] a marker that another agent has just begun to write is waited for', async (t) => {
  const { path: target, remove } = temporaryFolder();
  t.after(remove);
  const folder = path.join(target, 'ds1');
  const fields = { namespace: 'shared', agentCount: 2 } as const;
  const [first, second] = [0, 1].map((agentIndex) =>
    assignmentOf(target, [stageOf()], { ...fields, agentIndex }),
  );
  assert.ok(first !== undefined && second !== undefined);
  fs.mkdirSync(folder);
  const begun = path.join(folder, '.muster-dataset.json');
  fs.writeFileSync(begun, '');
  const { signal } = new AbortController();
  let looks = 0;
  const clock: Clock = {
    ...systemClock,
    nowNs: () => {
      // Before its second look: it has seen the empty one.
      if (++looks !== 2) return systemClock.nowNs();
      fs.rmSync(folder, { recursive: true });
      void claimDataset({ folder, assignment: first, clock: systemClock, signal });
      return systemClock.nowNs();
    },
  };
  assert.equal(await claimDataset({ folder, assignment: second, clock, signal }), false);
});

test('[SAFE-02] a marker that is there already, made by another run in the same moment, is not written over', (t) => {
  const { path: folder, remove } = temporaryFolder();
  t.after(remove);
  const marker: Marker = {
    product: 'muster',
    version: 1,
    hash: 'first',
    creator: 'root@ctl1',
    namespace: 'private',
    agents: 1,
    runId: 'run-1',
  };
  writeMarker(folder, marker);
  assert.throws(
    () => {
      writeMarker(folder, { ...marker, hash: 'second' });
    },
    { code: 'EEXIST' },
  );
  assert.deepEqual(readMarker(folder), marker);
});
