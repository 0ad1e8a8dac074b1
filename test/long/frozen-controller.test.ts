import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goesOnAtItsRate, needsWaitTime } from '../support/frozen-rate.js';
import { play } from '../support/rehearsal/play.js';
import { frozenController } from '../support/rehearsal/stress-scenarios.js';

test('[RPC-03] the controller is frozen for 60 s, its streams open: the load goes on at its rate', async (t) => {
  const scenario = frozenController(60);
  const outcome = await play(t, scenario, scenario.env);
  assert.ok('passed' in outcome);
  assert.deepEqual(outcome.problems, [], outcome.evidence.said);
});

test('[RPC-03] the same with a load on nothing at all', { skip: needsWaitTime }, (t) =>
  goesOnAtItsRate(t, 'null', 60_000),
);

test('[RPC-03] the same with cached reads', { skip: needsWaitTime }, (t) =>
  goesOnAtItsRate(t, 'cached reads', 60_000),
);
