// The short version of test/stress, for every `npm test`.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { play } from '../support/rehearsal/play.js';
import {
  messageFlood,
  thunderingHerd,
  type StressScenario,
} from '../support/rehearsal/stress-scenarios.js';

async function passes(t: TestContext, scenario: StressScenario): Promise<void> {
  const outcome = await play(t, scenario, scenario.env);
  assert.ok('passed' in outcome);
  assert.deepEqual(outcome.problems, [], outcome.evidence.said);
}

suite('many agents, much to say', { concurrency: 2 }, () => {
  test('[LINK-14] [LINK-01] five agents cut at once all resume, and not in step: exit 0', (t) =>
    passes(t, thunderingHerd(5, 0.9)));

  test('[LINK-14] a flood of messages, one agent behind a narrow link: no false alarm, exit 0', (t) =>
    passes(t, messageFlood(2, 5, true)));
});
