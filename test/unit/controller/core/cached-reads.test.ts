import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cachedReads, memoryBytesOf } from '../../../../src/controller/core/cached-reads.js';
import { planOf } from '../../../support/example-plan.js';

const GiB = 1024 ** 3;

function warned(
  stage: string,
  memories: readonly (number | undefined)[],
  more = '',
): readonly string[] {
  const { plan } = planOf(`
agents: [a, b, c]
target: /mnt/bench
dataset: { files: 8, file_size: 1GiB }
stages: [{ name: s, mix: read, duration: 1s, ${stage} }]
${more}`);
  const [agent] = plan.agents;
  assert.ok(agent);
  return cachedReads(
    plan,
    plan.stages,
    memories.map((memoryBytes) => ({ plan: agent, memoryBytes })),
  );
}

test('[MEAS-06] who reads through the page cache what fits into memory is told', () => {
  assert.deepEqual(warned('threads: 1', [16 * GiB, 8 * GiB, undefined]), [
    'stage s: what it reads (8GiB) fits into the memory of 1 of 3 agents, and may come from there: use direct, or more data',
  ]);
  assert.equal(warned('threads: 1', [8 * GiB + 1]).length, 1);
});

test('[MEAS-06] more data than memory, direct I/O and a target without storage need no such word', () => {
  assert.deepEqual(warned('threads: 1', [8 * GiB, GiB]), []);
  assert.deepEqual(warned('direct: true', [16 * GiB]), []);
  const nothing = planOf('target: "null:"\nstages: [{ name: s, mix: read, duration: 1s }]').plan;
  const [plan] = nothing.agents;
  assert.ok(plan);
  assert.deepEqual(cachedReads(nothing, nothing.stages, [{ plan, memoryBytes: GiB }]), []);
});

test('the memory is what the host says, and nothing when it says nothing', () => {
  assert.equal(memoryBytesOf({ memoryBytes: 5 }), 5);
  for (const host of [undefined, null, {}, { memoryBytes: 'much' }]) {
    assert.equal(memoryBytesOf(host), undefined);
  }
});
