import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sameHostWarnings } from '../../../../src/controller/core/same-host.js';
import { planOf } from '../../../support/example-plan.js';

const groups = [['agent-1', 'agent-2']];
const host = 'agents agent-1 and agent-2 run on the same host';
const warned = (given: string, mix: string, more = ''): readonly string[] => {
  const { plan } = planOf(`
agents: ['a:1', 'b:1']
dataset: { ${given} }
stages: [{ name: s, mix: ${mix}, duration: 5s }]
${more}`);
  return sameHostWarnings(plan, plan.stages, groups);
};

test('[MEAS-06] agents on one host that all write to one existing file are told apart from those that only share the host', () => {
  const [first, second, ...rest] = warned('existing: ["/a/{agent}", /b]', 'write');
  assert.equal(first, host);
  assert.match(
    second ?? '',
    /^agents agent-1 and agent-2 all write to all of \/b, on the same host: give/,
  );
  assert.deepEqual(rest, []);
  for (const alone of [
    warned('existing: [/b]', 'read'),
    warned('existing: ["/a/{index}"]', 'write'),
    warned('existing: [/b]', 'write', 'namespace: shared'),
    warned('devices: [/dev/x]', 'write'),
  ]) {
    assert.deepEqual(alone, [host]);
  }
});
