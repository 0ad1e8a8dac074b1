import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decide,
  enoughAlive,
  isAlive,
  policyText,
  type DecisionPhase,
  type RunEvent,
  type Standing,
} from '../../../../src/controller/core/decisions.js';
import type { FailurePolicy } from '../../../../src/shared/model/plan.js';

const twoOfThree: Standing = { configured: 3, alive: 2 };
const oneOfThree: Standing = { configured: 3, alive: 1 };

/** A verdict in a few words: `abort 5 partial numbers` for one that makes the numbers no result. */
function verdict(event: RunEvent, phase: DecisionPhase, standing: Standing): string {
  const made = decide(event, phase, standing, 'majority');
  if (made.kind !== 'abort') return made.kind;
  return `abort ${made.exitCode}${made.notRepresentative ? ' not representative' : ''}`;
}

const rows: readonly [RunEvent, DecisionPhase, Standing, string][] = [
  ['notStartable', 'startup', twoOfThree, 'abort 3'],
  ['notStartable', 'prepare', twoOfThree, 'abort 3'],
  ['notStartable', 'workload', twoOfThree, 'abort 3'],
  ['notStartable', 'cleanup', twoOfThree, 'abort 3'],
  ['failed', 'startup', twoOfThree, 'abort 3'],
  ['failed', 'prepare', twoOfThree, 'abort 3'],
  ['failed', 'workload', twoOfThree, 'continue'],
  ['failed', 'workload', oneOfThree, 'abort 5 not representative'],
  ['failed', 'cleanup', oneOfThree, 'warn'],
  ['hung', 'startup', twoOfThree, 'abort 3'],
  ['hung', 'prepare', twoOfThree, 'abort 3'],
  ['hung', 'workload', twoOfThree, 'continue'],
  ['hung', 'workload', oneOfThree, 'abort 5 not representative'],
  ['hung', 'cleanup', oneOfThree, 'warn'],
  ['interrupt', 'startup', twoOfThree, 'abort 130'],
  ['interrupt', 'prepare', twoOfThree, 'abort 130'],
  ['interrupt', 'workload', twoOfThree, 'abort 130'],
  ['interrupt', 'cleanup', twoOfThree, 'abort 130'],
  ['latency', 'startup', twoOfThree, 'warn'],
  ['latency', 'prepare', twoOfThree, 'warn'],
  ['latency', 'workload', oneOfThree, 'warn'],
  ['latency', 'cleanup', oneOfThree, 'warn'],
  ['invalidMessage', 'startup', twoOfThree, 'ignore'],
  ['invalidMessage', 'prepare', twoOfThree, 'ignore'],
  ['invalidMessage', 'workload', oneOfThree, 'ignore'],
  ['invalidMessage', 'cleanup', oneOfThree, 'ignore'],
  ['operationErrors', 'startup', twoOfThree, 'count'],
  ['operationErrors', 'prepare', twoOfThree, 'count'],
  ['operationErrors', 'workload', oneOfThree, 'count'],
  ['operationErrors', 'cleanup', oneOfThree, 'count'],
];

for (const [event, phase, standing, expected] of rows) {
  const alive = `${standing.alive} of ${standing.configured} alive`;
  test(`[RUN-19] ${event} in ${phase} with ${alive}: ${expected}`, () => {
    assert.equal(verdict(event, phase, standing), expected);
  });
}

const policies: readonly [FailurePolicy, number, number, boolean][] = [
  ['majority', 3, 2, true],
  ['majority', 3, 1, false],
  ['majority', 4, 2, false],
  ['majority', 2, 1, false],
  ['majority', 1, 1, true],
  ['all', 3, 3, true],
  ['all', 3, 2, false],
  ['any', 3, 1, true],
  ['any', 3, 0, false],
  [{ percent: 60 }, 5, 3, true],
  [{ percent: 60 }, 5, 2, false],
  [{ percent: 100 }, 3, 2, false],
];

for (const [policy, configured, alive, enough] of policies) {
  const name = typeof policy === 'string' ? policy : `${policy.percent}%`;
  const outcome = enough ? 'go on' : 'stop';
  test(`[RUN-19] failure_policy ${name}: ${alive} of ${configured} alive ${outcome}`, () => {
    assert.equal(enoughAlive(policy, { configured, alive }), enough);
  });
}

test('[RUN-19] disconnected and completed agents are alive; failed, aborted and hung ones are not', () => {
  assert.equal(isAlive('RUNNING', 'DISCONNECTED'), true);
  assert.equal(isAlive('COMPLETED', 'CLOSED'), true);
  assert.equal(isAlive('FAILED', 'CONNECTED'), false);
  assert.equal(isAlive('ABORTED', 'CONNECTED'), false);
  assert.equal(isAlive('RUNNING', 'HUNG'), false);
});

test('the policy is put into words with what is there', () => {
  assert.equal(policyText('majority', oneOfThree), '1 of 3 agents alive, a majority is needed');
  assert.equal(policyText('all', twoOfThree), '2 of 3 agents alive, all are needed');
  assert.equal(policyText('any', oneOfThree), '1 of 3 agents alive, one is needed');
  assert.equal(policyText({ percent: 80 }, oneOfThree), '1 of 3 agents alive, 80% are needed');
});
