import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckOutcome } from '../../../../src/controller/shell/check-fleet.js';
import { checkText } from '../../../../src/controller/view/check-text.js';
import { version } from '../../../../src/shared/model/version.js';
import { planOf, stagePlan } from '../../../support/recorded-run.js';

const plan = planOf(3, [stagePlan(0)]);

/** Of an agent that is fit to run, of the version given; undefined: it was not reached. */
function outcome(index: number, itsVersion: string | undefined): CheckOutcome {
  const [agent] = plan.agents.slice(index);
  assert.ok(agent);
  const instanceId = `instance-${String(index)}`;
  const facts = itsVersion !== undefined && {
    ...{ version: itsVersion, hostname: `node${String(index)}`, instanceId },
    ...{ bootId: `boot-${String(index)}`, host: {} },
  };
  return {
    agent,
    problems: facts ? [] : ['connection refused'],
    instanceId,
    facts: facts || undefined,
    clock: undefined,
    report: undefined,
    isShared: false,
  };
}

test('check warns of the agents of another version, and of none that it did not reach', () => {
  const text = checkText(plan, [outcome(0, version), outcome(1, '0.0.9'), outcome(2, undefined)]);
  const warnings = text.split('\n').filter((line) => line.startsWith('WARNING'));
  assert.deepEqual(warnings, [
    `WARNING: 1 agent runs another version of Muster than the controller (${version}): agent-2 0.0.9`,
  ]);
  assert.match(text, /^agent-2 .*0\.0\.9 .* yes$/m, 'it is fit to run all the same');
  assert.match(text, /^2\/3 agents are fit to run$/m);
});

test('check has nothing to say of versions where all are the controller’s', () => {
  const text = checkText(plan, [outcome(0, version), outcome(1, version)]);
  assert.doesNotMatch(text, /another version/);
});
