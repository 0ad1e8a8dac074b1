import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordLine } from '../../../../src/controller/core/record-line.js';
import { sampleRun, planOf, stagePlan } from '../../../support/recorded-run.js';

test('[RES-04] controller.log tells the course of the run, and no numbers', () => {
  const plan = planOf(2, [stagePlan(0, { name: 'mixed' })]);
  const records = sampleRun({ agents: 2, seconds: 1 });
  const lines = records.flatMap((record) => recordLine(record, plan) ?? []);
  assert.deepEqual(lines, [
    'Link to agent agent-1: CONNECTED, stream 1',
    'Agent agent-1: CONNECTING -> IDLE',
    'Link to agent agent-2: CONNECTED, stream 1',
    'Agent agent-2: CONNECTING -> IDLE',
    'Stage mixed starts on 2 agents in 0.0 s',
    'Agent agent-1: ARMED -> RUNNING',
    'Agent agent-2: ARMED -> RUNNING',
    'Agent agent-1: RUNNING -> COMPLETED',
    'Agent agent-2: RUNNING -> COMPLETED',
    'Stage mixed is over',
    'The run is completed, exit code 0',
  ]);
});
