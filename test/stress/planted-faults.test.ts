// A verdict that cannot fail is none: each is seen to be red on programs with a bug of the kind it is there to find.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { scenarios } from '../../src/controller/shell/rehearsal/scenarios.js';
import { play } from '../support/rehearsal/play-planted.js';
import { plantedFaults } from '../support/rehearsal/planted-faults.js';

test('every scenario of selftest has a planted fault', () => {
  assert.deepEqual(Object.keys(plantedFaults).sort(), scenarios.map(({ name }) => name).sort());
});

suite('[LINK-14] a planted fault turns the verdict red', { concurrency: 3 }, () => {
  for (const scenario of scenarios) {
    test(scenario.name, async (t) => {
      const outcome = await play(t, scenario, scenario.name);
      if ('leftOut' in outcome) {
        t.skip(outcome.leftOut);
        return;
      }
      assert.equal(outcome.passed, false, outcome.happened);
      t.diagnostic(outcome.problems.join('; '));
    });
  }
});
