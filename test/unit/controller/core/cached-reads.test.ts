import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cachedReads,
  givenBytesOf,
  memoryBytesOf,
} from '../../../../src/controller/core/cached-reads.js';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import { planOf } from '../../../support/example-plan.js';
import { at, RecordedAgent, runRecord } from '../../../support/recorded-run.js';

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
    memories.map((memoryBytes) => ({ plan: agent, memoryBytes, givenBytes: undefined })),
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
  assert.deepEqual(
    cachedReads(nothing, nothing.stages, [{ plan, memoryBytes: GiB, givenBytes: undefined }]),
    [],
  );
});

test('[MEAS-06] one pass after the cache was dropped needs no such word, a second one does', () => {
  const once = 'drop_cache: true, access: shuffled, block_size: 1MiB, max_bytes: 24GiB';
  const memories = [16 * GiB, 16 * GiB, 16 * GiB];
  assert.deepEqual(warned(once, memories), []);
  for (const more of [
    once.replace('24GiB', '25GiB'),
    once.replace('shuffled', 'random'),
    once.replace(', max_bytes: 24GiB', ''),
    once.replace('drop_cache: true, ', ''),
  ]) {
    assert.equal(warned(more, memories).length, 1, more);
  }
  assert.equal(warned(once, memories, 'namespace: shared').length, 1);
});

test('[MEAS-06] it is said once for all stages that read the data so', () => {
  const { plan } = planOf(`
agents: [a, b]
target: /mnt/bench
dataset: { files: 8, file_size: 1GiB }
stages:
  - { name: one, mix: read, duration: 1s }
  - { name: two, mix: read, duration: 1s, direct: true }
  - { name: three, mix: write, duration: 1s }
  - { name: four, mix: get, duration: 1s }
  - { name: by-fio, mix: read, duration: 1s, fio: { ioengine: psync } }
  - { name: around, mix: read, duration: 1s, direct: true, fio: { ioengine: libaio } }
  - { name: mapped, mix: read, duration: 1s, direct: true, fio: { ioengine: mmap } }`);
  const memories = plan.agents.map((agent) => ({
    plan: agent,
    memoryBytes: 16 * GiB,
    givenBytes: undefined,
  }));
  assert.deepEqual(cachedReads(plan, plan.stages, memories), [
    'stages one, four, by-fio and mapped: what they read (8GiB) fits into the memory of 2 of 2 agents, and may come from there: use direct, or more data',
  ]);
});

test('[MEAS-06] of existing files and devices it is said when the agents have told their size', () => {
  const { plan } = planOf(`
agents: [a, b, c]
target: 'file:'
dataset: { existing: [/mnt/x] }
stages: [{ name: s, mix: read, duration: 1s }]`);
  const of = (...sizes: readonly (number | undefined)[]) =>
    cachedReads(
      plan,
      plan.stages,
      plan.agents.map((agent, i) => ({
        plan: agent,
        memoryBytes: 4 * GiB,
        givenBytes: sizes[i],
      })),
    );
  assert.deepEqual(of(undefined, 4 * GiB, 5 * GiB), []);
  assert.deepEqual(of(GiB, 3 * GiB, 5 * GiB), [
    'stage s: what it reads (up to 3GiB) fits into the memory of 2 of 3 agents, and may come from there: use direct, or more data',
  ]);
  const given = [{ path: '/a', sizeBytes: 5 }, { sizeBytes: 7 }];
  assert.equal(givenBytesOf({ realPath: null, given }), 12);
  for (const facts of [undefined, null, {}, { given: null }, { given: [{}] }, 'x']) {
    assert.equal(givenBytesOf(facts), undefined);
  }
});

test('[MEAS-06] the results say it of stages that read something, not of those that the run did not come to', () => {
  const { plan } = planOf(`
agents: [a]
target: /mnt/bench
dataset: { files: 8, file_size: 1GiB }
stages:
  - { name: one, mix: read, duration: 1s }
  - { name: two, mix: get, duration: 1s }
  - { name: cut-at-once, mix: read, duration: 1s }
  - { name: not-reached, mix: read, duration: 1s }`);
  const facts = { version: '', hostname: '', instanceId: '', bootId: '' };
  const aggregate = new Aggregate();
  aggregate.accept(at(0, runRecord(plan)));
  const host = { memoryBytes: 16 * GiB };
  aggregate.accept(at(0, { type: 'agent', agent: 0, facts: { ...facts, host } }));
  for (const [stage, work] of [
    [0, { read: { latenciesNs: [1] } }],
    [1, { get: { latenciesNs: [1] } }],
    [2, { read: { latenciesNs: [] } }],
  ] as const) {
    const interval = new RecordedAgent(stage).interval(work);
    aggregate.accept(at(1, { type: 'stageStart', stage, epoch: 1, t0Ns: 0n, agents: [0] }));
    aggregate.accept(at(2, { type: 'interval', agent: 0, interval }));
  }
  const { warnings } = aggregate.summary();
  assert.deepEqual(
    warnings.filter((warning) => warning.includes('fits into the memory')),
    [
      'stages one and two: what they read (8GiB) fits into the memory of 1 of 1 agent, and may come from there: use direct, or more data',
    ],
  );
});

test('the memory is what the host says, and nothing when it says nothing', () => {
  assert.equal(memoryBytesOf({ memoryBytes: 5 }), 5);
  for (const host of [undefined, null, {}, { memoryBytes: 'much' }]) {
    assert.equal(memoryBytesOf(host), undefined);
  }
});
