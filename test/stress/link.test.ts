import assert from 'node:assert/strict';
import { test } from 'node:test';
import { play } from '../support/rehearsal/play.js';
import {
  allAtOnce,
  checkpointHeavy,
  messageFlood,
  steady,
  thunderingHerd,
  trickle,
} from '../support/rehearsal/stress-scenarios.js';

const scenarios = [
  thunderingHerd(20),
  steady(10, 20),
  messageFlood(5, 15, false),
  messageFlood(5, 15, true),
  checkpointHeavy(5),
  trickle(),
  allAtOnce(30),
];

for (const scenario of scenarios) {
  test(`[LINK-14] ${scenario.name}: ${scenario.fault}`, async (t) => {
    const outcome = await play(t, scenario, scenario.env);
    assert.ok('passed' in outcome);
    t.diagnostic(`${outcome.happened}; expected: ${outcome.expected}`);
    assert.deepEqual(outcome.problems, [], outcome.evidence.said);
  });
}
