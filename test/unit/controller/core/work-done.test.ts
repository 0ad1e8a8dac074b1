import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workDone } from '../../../../src/controller/core/work-done.js';
import { assignmentOf } from '../../../support/agent-driver.js';
import { stageOf } from '../../../support/scripted-fleet.js';

test('[RUN-03] work done is time done where all stages have durations', () => {
  const stages = [stageOf({ durationMs: 100_000 }), stageOf({ index: 1, durationMs: 400_000 })];
  const assignment = assignmentOf({ stages });
  assert.equal(workDone(assignment, { stage: 0, elapsedMs: -500, operations: 0 }), 0);
  assert.equal(workDone(assignment, { stage: 0, elapsedMs: 50_000, operations: 0 }), 0.1);
  assert.equal(workDone(assignment, { stage: 1, elapsedMs: 345_000, operations: 0 }), 0.89);
  assert.equal(workDone(assignment, { stage: 1, elapsedMs: 900_000, operations: 0 }), 1);
});

test('[RUN-03] without durations it is operations done', () => {
  const stage = { durationMs: undefined, maxOperations: 1000 };
  const assignment = assignmentOf({ stages: [stageOf(stage), stageOf({ ...stage, index: 1 })] });
  assert.equal(workDone(assignment, { stage: 1, elapsedMs: 1, operations: 500 }), 0.75);
});
