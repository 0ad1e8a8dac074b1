import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import { otherVersions } from '../../../../src/controller/core/other-versions.js';
import { sampleRun } from '../../../support/recorded-run.js';

test('agents of the controller’s version, and those never heard of, are nothing to warn of', () => {
  const agents = ['1.0.0', undefined, ''].map((version, i) => ({
    id: `agent-${String(i)}`,
    version,
  }));
  assert.deepEqual(otherVersions(agents, '1.0.0'), []);
});

test('agents of another version are named with it, the first five of many', () => {
  const agents = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ id: `a${String(i)}`, version: '1.0.1' }));
  assert.deepEqual(otherVersions([...agents(1), { id: 'b', version: '1.0.0' }], '1.0.0'), [
    '1 agent runs another version of Muster than the controller (1.0.0): a0 1.0.1',
  ]);
  assert.deepEqual(otherVersions(agents(7), '1.0.0'), [
    '7 agents run another version of Muster than the controller (1.0.0): a0 1.0.1, a1 1.0.1, a2 1.0.1, a3 1.0.1, a4 1.0.1 and 2 more',
  ]);
});

test('[RES-01] a run of mixed versions says so in its results', () => {
  const aggregate = new Aggregate();
  for (const record of sampleRun()) {
    const isOther = record.type === 'agent' && record.agent === 1;
    aggregate.accept(
      isOther ? { ...record, facts: { ...record.facts, version: '0.0.9' } } : record,
    );
  }
  const told = aggregate.summary().warnings.filter((line) => line.includes('another version'));
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /^1 agent runs another version of Muster than the controller/);
});
