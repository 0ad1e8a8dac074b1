import assert from 'node:assert/strict';
import { test } from 'node:test';
import { play } from '../support/rehearsal/play.js';
import { frozenController } from '../support/rehearsal/stress-scenarios.js';

test('[RPC-03] the controller is frozen for 60 s, its streams open: the load goes on at its rate', async (t) => {
  const scenario = frozenController(60);
  const outcome = await play(t, scenario, scenario.env);
  assert.ok('passed' in outcome);
  assert.deepEqual(outcome.problems, [], outcome.evidence.said);
});
