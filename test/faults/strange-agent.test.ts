import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  always,
  completed,
  exits,
  neverSays,
  nobodyAccused,
  says,
  wholeTimeLines,
} from '../../src/controller/core/rehearsal/checks.js';
import type { Scenario } from '../../src/controller/shell/rehearsal/scenario.js';
import { scenarios } from '../../src/controller/shell/rehearsal/scenarios.js';
import { play, preloading } from '../support/rehearsal/play.js';
import { frozenController } from '../support/rehearsal/stress-scenarios.js';

async function passes(
  t: TestContext,
  scenario: Scenario | undefined,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  assert.ok(scenario);
  const outcome = await play(t, scenario, env);
  assert.ok('passed' in outcome);
  assert.deepEqual(outcome.problems, [], outcome.evidence.said);
}

suite('what arrives is not what it should be', { concurrency: 3 }, () => {
  test('[RUN-21] [RUN-15] READY said again and again: ignored, the run completes, exit 0', (t) =>
    passes(
      t,
      {
        name: 'repeated-ready',
        fault: 'agents say READY three times',
        seconds: 2,
        act: async () => undefined,
        checks: [
          exits(0),
          completed(3),
          wholeTimeLines(['agent-1', 'agent-2', 'agent-3']),
          says(/Agent agent-2 sent duplicate READY \(ignoring\)/, 'each is said to be ignored'),
          nobodyAccused,
          neverSays(/Invalid transition/, 'no invalid transition'),
          ...always(),
        ],
      },
      preloading('repeat-ready'),
    ));

  test('[LINK-14] [RUN-08] flipped bits on the link of an agent: nothing is lost, exit 0', (t) =>
    passes(
      t,
      scenarios.find(({ name }) => name === 'bit-flips'),
    ));

  test('[RPC-03] the rate of the load does not change while the controller is frozen', (t) => {
    const scenario = frozenController(8);
    return passes(t, scenario, scenario.env);
  });
});
