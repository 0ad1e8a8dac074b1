import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assignmentSchema } from '../../../../src/shared/model/assignment-schema.js';
import { datasetIdentity, splitPlan } from '../../../../src/shared/model/split-plan.js';
import { planOf, smallConfig } from '../../../support/example-plan.js';
import type { Plan } from '../../../../src/shared/model/plan.js';

const { plan: small } = planOf(smallConfig);
const datasetHash = 'ab'.repeat(32);

const plans = fc
  .record({
    agents: fc.integer({ min: 1, max: 40 }),
    files: fc.integer({ min: 0, max: 1e8 }),
    operations: fc.option(fc.integer({ min: 1, max: 1e15 }), { nil: undefined }),
    bytes: fc.option(fc.maxSafeNat(), { nil: undefined }),
    block: fc.integer({ min: 1, max: 2 ** 30 }),
    namespace: fc.constantFrom('private' as const, 'shared' as const),
    own: fc.option(fc.integer({ min: 1, max: 256 }), { nil: undefined }),
  })
  .map(({ agents, files, operations, bytes, block, namespace, own }): Plan => {
    const [first] = small.agents;
    const [stage] = small.stages;
    assert(first && stage);
    return {
      ...small,
      namespace,
      agents: Array.from({ length: agents }, (_, index) => ({
        ...first,
        index,
        id: `agent-${String(index + 1)}`,
        threads: index % 2 === 0 ? own : undefined,
      })),
      dataset: { ...small.dataset, files },
      stages: [
        { ...stage, maxOperations: operations, maxBytes: bytes, blockSizeBytes: block, threads: 3 },
      ],
    };
  });

const split = (plan: Plan) => splitPlan(plan, 'run-1', 'me@here', 'run', { datasetHash });
const sum = (values: readonly (number | undefined)[]) =>
  values.reduce((total: bigint, value) => total + BigInt(value ?? 0), 0n);

test('a shared dataset is divided without gap and without overlap, and everybody uses all of it', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const shares = split({ ...plan, namespace: 'shared' }).map(({ dataset }) => dataset);
      let next = 0;
      for (const { own, use } of shares) {
        assert.equal(own.from, next);
        assert(own.to >= own.from);
        next = own.to;
        assert.deepEqual(use, { from: 0, to: plan.dataset.files });
      }
      assert.equal(next, plan.dataset.files);
      const sizes = shares.map(({ own }) => own.to - own.from);
      assert(Math.max(...sizes) - Math.min(...sizes) <= 1);
    }),
  );
});

test('in a private namespace each agent owns and uses files 0 … n of its own', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      for (const { dataset } of split({ ...plan, namespace: 'private' })) {
        assert.deepEqual(dataset.own, { from: 0, to: plan.dataset.files });
        assert.deepEqual(dataset.use, dataset.own);
      }
    }),
  );
});

test('the shares of max_operations and max_bytes add up to the limit exactly', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const stages = split(plan).map(({ stages }) => stages[0]);
      const [stage] = plan.stages;
      assert.equal(sum(stages.map((s) => s?.maxOperations)), sum([stage?.maxOperations]));
      assert.equal(sum(stages.map((s) => s?.maxBytes)), sum([stage?.maxBytes]));
      for (const part of stages) {
        assert.equal(part?.maxOperations === undefined, stage?.maxOperations === undefined);
        assert.equal(part?.maxBytes === undefined, stage?.maxBytes === undefined);
      }
    }),
  );
});

test('bytes are divided in whole operations; only the last agent may get a fraction', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const [stage] = plan.stages;
      for (const part of split(plan).slice(0, -1)) {
        assert.equal((part.stages[0]?.maxBytes ?? 0) % (stage?.blockSizeBytes ?? 1), 0);
      }
    }),
  );
});

test('whole operations are blocks for read and write, files for get and put', () => {
  const shares = (mix: string) =>
    split(
      planOf(smallConfig, {
        agentsOverride: ['a:1', 'b:1', 'c:1'],
        sets: [`stages.0.mix=${mix}`, 'stages.0.max_bytes=4MiB'],
      }).plan,
    ).map(({ stages }) => stages[0]?.maxBytes);
  assert.deepEqual(shares('put'), [2 * 1024 ** 2, 1024 ** 2, 1024 ** 2]);
  assert.deepEqual(shares('read'), [342 * 4096, 341 * 4096, 341 * 4096]);
});

test("an agent's own threads win over the stage's", () => {
  fc.assert(
    fc.property(plans, (plan) => {
      for (const [index, assignment] of split(plan).entries()) {
        assert.equal(assignment.stages[0]?.threads, plan.agents[index]?.threads ?? 3);
      }
    }),
  );
});

test('[RUN-23] one operation for three agents: one does it, the others get a share of zero', () => {
  const { plan } = planOf(smallConfig, {
    agentsOverride: ['a:1', 'b:1', 'c:1'],
    sets: ['stages.0.max_operations=1'],
  });
  assert.deepEqual(
    split(plan).map(({ stages }) => stages[0]?.maxOperations),
    [1, 0, 0],
  );
});

test('every assignment passes the schema of the agent after a trip through JSON, and nothing is lost', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      for (const assignment of split(plan)) {
        const received: unknown = JSON.parse(JSON.stringify(assignment));
        assert.deepEqual(assignmentSchema.parse(received), assignment);
      }
    }),
  );
});

test('[CONF-03] what concerns the agents of seed, timeouts and dataset reaches them as it stands in the config', () => {
  const { plan } = planOf(smallConfig, {
    sets: [
      'seed=77',
      'timeouts={ drain: 41s, abort: 42s, lease: 43m, reconnect_window: 44s, ping_after: 45s, hung_after: 46s, operation: 47s }',
      'dataset={ name: mine, files: 5, file_size: { uniform: [4KiB, 8KiB] }, directories: { width: 3, depth: 2 } }',
      'dataset.content={ compress: 2 }',
      'dataset.prepare={ threads: 7, block_size: 512KiB }',
      'dataset.verify=true',
    ],
  });
  const assignments = split(plan);
  assert.ok(assignments.length > 0);
  for (const { seed, timeouts, dataset } of assignments) {
    assert.equal(seed, 77);
    assert.deepEqual(timeouts, {
      drainMs: 41_000,
      abortMs: 42_000,
      leaseMs: 43 * 60_000,
      reconnectWindowMs: 44_000,
      runnerSilenceMs: 91_000,
      operationMs: 47_000,
    });
    const { name, fileSizeBytes, fileSizes, directories, content, prepare, verify } = dataset;
    assert.deepEqual([name, fileSizeBytes, directories], ['mine', 8192, { width: 3, depth: 2 }]);
    assert.deepEqual([fileSizes, content], [plan.dataset.fileSizes, plan.dataset.content]);
    assert.deepEqual(prepare, { threads: 7, blockSizeBytes: 524_288, direct: false });
    assert.equal(verify, true);
    assert.notEqual(content, 'random');
  }
});

test('[CONF-03] a stage reaches the agents as it stands in the config, but for their threads and their shares of its limits', () => {
  const base = `
agents: [{ address: 'a:1', threads: 3 }, 'b:1', 'c:1']
target: /mnt/{agent}
namespace: shared
dataset: { files: 9, file_size: 1MiB, verify: true }
stages:
  - name: all
    mix: { read: 3, write: 1 }
    block_size: { read: 8KiB, write: 4KiB }
    access: { strided: { chunk: 64KiB, stride: 128KiB } }
    verify: false
    iodepth: 4
    direct: true
    noatime: true
    sync: o_dsync
    fsync: 5
    fdatasync: true
    drop_cache: true
    duration: 7s
    rate: { from: 10/s, to: 20/s }
    arrival: poisson
    warmup: 3s
    max_error_rate: 2%
    error_policy: { write: stop }
  - { name: shifted, mix: read, shift: 2, think_time: 5ms, duration: 1s }
`;
  const { plan } = planOf(base);
  for (const [index, assignment] of split(plan).entries()) {
    const { target, namespace, agentId, agentIndex, agentCount } = assignment;
    const id = `agent-${String(index + 1)}`;
    assert.deepEqual([target, namespace, agentId], [`/mnt/${id}`, 'shared', id]);
    assert.deepEqual([agentIndex, agentCount], [index, 3]);
    const received: unknown = JSON.parse(JSON.stringify(assignment));
    const expected = plan.stages.map((stage) => ({ ...stage, threads: index === 0 ? 3 : 1 }));
    assert.deepEqual(assignmentSchema.parse(received).stages, expected);
  }
});

test('the agent refuses unknown keys, ranges that run backwards, and names that leave the folder', () => {
  const [good] = split(small);
  assert(good);
  const bad: Record<string, unknown> = {
    extra: { ...good, extra: 1 },
    range: { ...good, dataset: { ...good.dataset, own: { from: 2, to: 1 } } },
    name: { ...good, dataset: { ...good.dataset, name: '../other' } },
    index: { ...good, agentIndex: 1 },
    threads: { ...good, stages: good.stages.map((stage) => ({ ...stage, threads: 257 })) },
  };
  for (const [name, assignment] of Object.entries(bad)) {
    assert.equal(assignmentSchema.safeParse(assignment).success, false, name);
  }
});

test('the identity of a dataset changes with what is in it, and not with keep', () => {
  const identity = datasetIdentity(small);
  const change = (dataset: Partial<Plan['dataset']>, rest: Partial<Plan> = {}) =>
    datasetIdentity({ ...small, ...rest, dataset: { ...small.dataset, ...dataset } });
  assert.equal(change({ keep: true }), identity);
  assert.equal(change({}, { seed: 2 }), identity, 'a seed that was drawn');
  const others = [
    change({ name: 'other' }),
    change({ files: 9 }),
    change({ fileSizeBytes: 1 }),
    change({ directories: { width: 2, depth: 1 } }),
    change({ content: 'zero' }),
    change({ seed: 2 }),
    change({}, { namespace: 'shared' }),
    change({}, { agents: [...small.agents, ...small.agents] }),
  ];
  assert.equal(new Set([identity, ...others]).size, others.length + 1);
});

test('[SAFE-01] without a seed in the config, the next command still knows the dataset of the last', () => {
  const of = (seed: number, text: string) =>
    datasetIdentity(planOf(text, { randomSeed: () => seed }).plan);
  assert.equal(of(1, smallConfig), of(2, smallConfig));
  assert.notEqual(of(1, `${smallConfig}\nseed: 3`), of(1, `${smallConfig}\nseed: 4`));
  assert.notEqual(of(1, `${smallConfig}\nseed: 1`), of(1, smallConfig));
});

test('existing files and devices: each agent gets its own names, makes nothing, and may use all', () => {
  const paths = ['/srv/a', '/srv/{agent}-{index}'];
  const given = { kind: 'existing', paths } as const;
  const [agent] = small.agents;
  assert(agent);
  const agents = [agent, { ...agent, index: 1, id: 'b' }];
  const plan: Plan = { ...small, agents, dataset: { ...small.dataset, files: 0, given } };
  for (const namespace of ['private', 'shared'] as const) {
    const [, second] = split({ ...plan, namespace });
    assert.deepEqual(second?.dataset.given, { ...given, paths: ['/srv/a', '/srv/b-1'] });
    assert.deepEqual(second.dataset.own, { from: 0, to: 0 });
    assert.deepEqual(second.dataset.use, { from: 0, to: 2 });
    assert.deepEqual(assignmentSchema.parse(JSON.parse(JSON.stringify(second))), second);
  }
  const other = { ...plan.dataset, given: { ...given, paths: ['/srv/a'] } };
  assert.notEqual(datasetIdentity(plan), datasetIdentity({ ...plan, dataset: other }));
});

test('[MEAS-06] limits are divided by the blocks of the operations that a stage does, not by those that its block_size has besides', () => {
  const sizes = (mix: string, maxBytes: string) =>
    split(
      planOf(`
agents: ['a:1', 'b:1']
target: /mnt/x
dataset: { files: 4, file_size: 1MiB }
stages: [{ name: s, mix: ${mix}, block_size: { read: 4KiB }, max_bytes: ${maxBytes} }]
`).plan,
    ).map(({ stages }) => [stages[0]?.blockSizeBytes, stages[0]?.maxBytes]);
  assert.deepEqual(sizes('read', '200KiB'), [
    [4096, 102_400],
    [4096, 102_400],
  ]);
  assert.deepEqual(sizes('{ read: 1, stat: 1 }', '200KiB'), sizes('read', '200KiB'));
  const [one, all] = [1024 ** 2, 3 * 1024 ** 2];
  for (const mix of ['{ read: 1, write: 1 }', 'write', '{ read: 1, get: 1 }']) {
    assert.deepEqual(sizes(mix, '3MiB'), [
      [one, all - one],
      [one, one],
    ]);
  }
});
