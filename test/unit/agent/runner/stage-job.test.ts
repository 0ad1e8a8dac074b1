import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { ClockBase } from '../../../../src/agent/runner/clock-base.js';
import { emptyChurn } from '../../../../src/agent/runner/churn-pool.js';
import type { StageJob } from '../../../../src/agent/runner/jobs.js';
import { laneShapeOf } from '../../../../src/agent/runner/jobs.js';
import { LaneMemory } from '../../../../src/agent/runner/lane-memory.js';
import { RunControl } from '../../../../src/agent/runner/shared-memory.js';
import { runStageJob } from '../../../../src/agent/runner/stage-job.js';
import { assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

test('[ENG-03] holes that are found in the midst of a stage end it with one sentence', async (t) => {
  const folder = temporaryFolder();
  const before = process.cwd();
  t.after(() => {
    process.chdir(before);
    folder.remove();
  });
  process.chdir(folder.path);
  fs.mkdirSync('data');
  fs.writeFileSync('data/f0', Buffer.alloc(65_536, 1));
  fs.writeFileSync('data/f1', '');
  fs.truncateSync('data/f1', 65_536);
  const limits = { durationMs: undefined, maxOperations: 100 };
  const stage = stageOf({ threads: 1, name: 'read-all', ...limits });
  const { dataset } = assignmentOf('/', [stage]);
  const control = new RunControl();
  const base = new ClockBase();
  const memory = new LaneMemory(laneShapeOf(stage)).buffer;
  const job: StageJob = {
    ...{ kind: 'stage', engine: 'file', stage, agentIndex: 0, dataOf: 0, sharers: 1, seed: 1 },
    dataset: { ...dataset, fileSizeBytes: 65_536, use: { from: 0, to: 2 } },
    ...{ salt: 0, lane: 0, lanes: 1, baseSeconds: base.seconds, control: control.buffer },
    // One file at a time: the second one is opened when it is its turn.
    openFiles: 1,
    ...{ memory, warmupMemory: memory, spin: false, operationMs: undefined },
    ...{ churnFiles: emptyChurn, churnFolders: emptyChurn, tables: undefined, owner: 0 },
    ...{ writes: undefined, alarms: undefined },
  };
  control.openGate(1, base.now());
  const said: string[] = [];
  await assert.rejects(
    runStageJob(job, ({ kind }) => said.push(kind)),
    {
      name: 'RunnerFailure',
      code: 'dataset',
      message:
        'stage "read-all": data/f1 has holes: 0 of its 65536 bytes are on the storage. Reading holes measures nothing: write the whole file first, or prepare the dataset anew',
    },
  );
  assert.deepEqual(said, ['warm', 'open'], 'the stage was under way');
});
