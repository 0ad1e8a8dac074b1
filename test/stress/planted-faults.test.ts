// A verdict that cannot fail is none: each is seen to be red on programs with a bug of the kind it is there to find.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { scenarios } from '../../src/controller/shell/rehearsal/scenarios.js';
import type { Scenario } from '../../src/controller/shell/rehearsal/scenario.js';
import { and, planted, play, slowDisk } from '../support/rehearsal/play.js';
import { plantedFaults } from '../support/rehearsal/planted-faults.js';
import {
  allAtOnce,
  checkpointHeavy,
  messageFlood,
  steady,
  thunderingHerd,
  trickle,
} from '../support/rehearsal/stress-scenarios.js';

async function turnsRed(
  t: TestContext,
  scenario: Scenario,
  env: NodeJS.ProcessEnv,
  problem: RegExp,
): Promise<void> {
  const outcome = await play(t, scenario, env);
  if ('leftOut' in outcome) {
    t.skip(outcome.leftOut);
    return;
  }
  assert.equal(outcome.passed, false, outcome.happened);
  assert.match(outcome.problems.join('; '), problem);
  t.diagnostic(outcome.problems.join('; '));
}

suite('[LINK-14] a planted fault turns the verdict of selftest red', { concurrency: 3 }, () => {
  for (const scenario of scenarios) {
    test(scenario.name, async (t) => {
      assert.ok(plantedFaults[scenario.name], 'a planted fault');
      await turnsRed(t, scenario, planted(scenario.name), /./);
    });
  }
});

suite('[LINK-14] a planted fault turns the verdict of a stress scenario red', () => {
  const rows: readonly {
    readonly scenario: Scenario & { readonly env: NodeJS.ProcessEnv };
    readonly env?: NodeJS.ProcessEnv;
    readonly fault?: string;
    readonly problem: RegExp;
  }[] = [
    { scenario: thunderingHerd(6), fault: 'thundering-herd', problem: /back within the same/ },
    { scenario: steady(3, 4), fault: 'undisturbed', problem: /misses 1 second / },
    { scenario: messageFlood(2, 5, false), env: slowDisk(20), problem: /KiB arrived/ },
    {
      scenario: messageFlood(2, 10, true),
      fault: 'mixed-priorities',
      problem: /did not end|agent-1 was silent/,
    },
    { scenario: checkpointHeavy(3), fault: 'checkpoint-heavy', problem: /spool of agent-1/ },
    { scenario: trickle(), fault: 'undisturbed', problem: /misses 1 second / },
    { scenario: allAtOnce(25), fault: 'cut', problem: /reconnected 0 times/ },
  ];
  for (const { scenario, fault, env, problem } of rows) {
    test(scenario.name, (t) =>
      turnsRed(t, scenario, env ?? and(scenario.env, planted(fault ?? '')), problem),
    );
  }
});
