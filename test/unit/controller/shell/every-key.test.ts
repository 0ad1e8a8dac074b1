import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { planAsConfig } from '../../../../src/shared/model/config/print-plan.js';
import { configKeys } from '../../../../src/shared/model/config/walk.js';
import { planOf } from '../../../support/example-plan.js';

const base = `
agents: [{ address: a }, b, c]
target: /mnt/bench
dataset: { files: 8, file_size: 1MiB }
seed: 1
stages:
  - { name: s, mix: read, duration: 60s }
  - { name: t, mix: { read: 1, write: 1 }, block_size: 4KiB, fsync: 2, duration: 10s, rate: 100/s }
`;

/** For every key of the schema a value that is not its default, and what the plan then says. */
const rows: Readonly<
  Record<string, readonly [set: string | readonly string[], path: string, expected: unknown]>
> = {
  name: ['name=other', 'name', 'other'],
  agents: ['agents=[w, x, y, z]', 'agents.length', 4],
  'agents[].address': ['agents.0.address=z:9', 'agents.0.address', 'z:9'],
  'agents[].id': ['agents.0.id=first', 'agents.0.id', 'first'],
  'agents[].target': ['agents.0.target=/mnt/own', 'agents.0.target', '/mnt/own'],
  'agents[].threads': ['agents.0.threads=7', 'agents.0.threads', 7],
  'agents[].labels': ['agents.0.labels={ rack: b }', 'agents.0.labels', { rack: 'b' }],
  target: ['target=/mnt/{agent}-{index}', 'agents.1.target', '/mnt/agent-2-1'],
  namespace: ['namespace=shared', 'namespace', 'shared'],
  seed: ['seed=5', 'seed', 5],
  'dataset.name': ['dataset.name=other', 'dataset.name', 'other'],
  'dataset.files': ['dataset.files=9', 'dataset.files', 9],
  'dataset.file_size': ['dataset.file_size=2MiB', 'dataset.fileSizeBytes', 2 * 1024 ** 2],
  'dataset.file_size.uniform': [
    'dataset.file_size={ uniform: [1MiB, 4MiB] }',
    'dataset.fileSizes.uniform',
    [1024 ** 2, 4 * 1024 ** 2],
  ],
  'dataset.file_size.lognormal.mean': [
    'dataset.file_size={ lognormal: { mean: 3MiB, sd: 1MiB, min: 1MiB, max: 8MiB } }',
    'dataset.fileSizes.lognormal.mean',
    3 * 1024 ** 2,
  ],
  'dataset.file_size.lognormal.sd': [
    'dataset.file_size={ lognormal: { mean: 3MiB, sd: 2MiB, min: 1MiB, max: 8MiB } }',
    'dataset.fileSizes.lognormal.sd',
    2 * 1024 ** 2,
  ],
  'dataset.file_size.lognormal.min': [
    'dataset.file_size={ lognormal: { mean: 3MiB, sd: 1MiB, min: 2MiB, max: 8MiB } }',
    'dataset.fileSizes.lognormal.min',
    2 * 1024 ** 2,
  ],
  'dataset.file_size.lognormal.max': [
    'dataset.file_size={ lognormal: { mean: 3MiB, sd: 1MiB, min: 1MiB, max: 9MiB } }',
    'dataset.fileSizes.lognormal.max',
    9 * 1024 ** 2,
  ],
  'dataset.file_size[].size': [
    'dataset.file_size=[{ size: 5MiB, weight: 3 }]',
    'dataset.fileSizes.weighted.0.size',
    5 * 1024 ** 2,
  ],
  'dataset.file_size[].weight': [
    'dataset.file_size=[{ size: 2MiB, weight: 7 }]',
    'dataset.fileSizes.weighted.0.weight',
    7,
  ],
  'stages[].block_size[].size': [
    'stages.1.block_size=[{ size: 8KiB, weight: 7 }]',
    'stages.1.blockSizes.read.weighted.0.size',
    8192,
  ],
  'stages[].block_size.read[].size': [
    'stages.1.block_size={ read: [{ size: 8KiB, weight: 7 }] }',
    'stages.1.blockSizes.read.weighted.0.size',
    8192,
  ],
  'stages[].block_size.write[].size': [
    'stages.1.block_size={ write: [{ size: 8KiB, weight: 7 }] }',
    'stages.1.blockSizes.write.weighted.0.size',
    8192,
  ],
  'stages[].block_size[].weight': [
    'stages.1.block_size=[{ size: 8KiB, weight: 7 }]',
    'stages.1.blockSizes.read.weighted.0.weight',
    7,
  ],
  'stages[].block_size.read[].weight': [
    'stages.1.block_size={ read: [{ size: 8KiB, weight: 7 }] }',
    'stages.1.blockSizes.read.weighted.0.weight',
    7,
  ],
  'stages[].block_size.write[].weight': [
    'stages.1.block_size={ write: [{ size: 8KiB, weight: 7 }] }',
    'stages.1.blockSizes.write.weighted.0.weight',
    7,
  ],
  'dataset.directories.width': ['dataset.directories.width=3', 'dataset.directories.width', 3],
  'dataset.directories.depth': ['dataset.directories.depth=2', 'dataset.directories.depth', 2],
  'dataset.content': ['dataset.content=zero', 'dataset.content', 'zero'],
  'dataset.content.dedup': ['dataset.content={ dedup: 3 }', 'dataset.content.dedup', 3],
  'dataset.content.compress': [
    'dataset.content={ compress: 2.5 }',
    'dataset.content',
    { compress: 2.5, dedup: 1 },
  ],
  'dataset.verify': ['dataset.verify=true', 'dataset.verify', true],
  'dataset.prepare.threads': ['dataset.prepare.threads=3', 'dataset.prepare.threads', 3],
  'dataset.prepare.block_size': [
    'dataset.prepare.block_size=64KiB',
    'dataset.prepare.blockSizeBytes',
    65_536,
  ],
  'dataset.prepare.direct': ['dataset.prepare.direct=true', 'dataset.prepare.direct', true],
  'dataset.keep': ['dataset.keep=true', 'dataset.keep', true],
  stages: ['stages.2={ name: u, mix: stat, duration: 1s }', 'stages.length', 3],
  'stages[].name': ['stages.0.name=other', 'stages.0.name', 'other'],
  'stages[].mix': [
    'stages.0.mix={ write: 2, read: 1, stat: 0 }',
    'stages.0.mix',
    [
      { operation: 'read', weight: 1 },
      { operation: 'write', weight: 2 },
    ],
  ],
  'stages[].block_size': ['stages.0.block_size=8KiB', 'stages.0.blockSizeBytes', 8192],
  'stages[].block_size.uniform': [
    'stages.1.block_size={ uniform: [4KiB, 64KiB] }',
    'stages.1.blockSizes.read',
    { uniform: [4096, 65_536] },
  ],
  'stages[].block_size.read': [
    'stages.1.block_size={ read: [{ size: 8KiB, weight: 3 }], write: 64KiB }',
    'stages.1.blockSizes.read',
    { weighted: [{ size: 8192, weight: 3 }] },
  ],
  'stages[].block_size.write': [
    'stages.1.block_size={ read: 8KiB, write: 64KiB }',
    'stages.1.blockSizes.write',
    65_536,
  ],
  'stages[].block_size.read.uniform': [
    'stages.1.block_size={ read: { uniform: [4KiB, 8KiB] }, write: 4KiB }',
    'stages.1.blockSizes.read',
    { uniform: [4096, 8192] },
  ],
  'stages[].block_size.write.uniform': [
    'stages.1.block_size={ read: 4KiB, write: { uniform: [4KiB, 8KiB] } }',
    'stages.1.blockSizes.write',
    { uniform: [4096, 8192] },
  ],
  'stages[].fio': [
    'stages.0.fio={ ioengine: libaio, iodepth_low: 4, registerfiles: true }',
    'stages.0.fio',
    { ioengine: 'libaio', iodepth_low: '4', registerfiles: '1' },
  ],
  'stages[].access': ['stages.0.access=shuffled', 'stages.0.access', 'shuffled'],
  'stages[].access.zipf': ['stages.0.access={ zipf: 1.1 }', 'stages.0.access.zipf', 1.1],
  'stages[].access.hotspot.data': [
    'stages.0.access={ hotspot: { data: 7%, operations: 80% } }',
    'stages.0.access.hotspot.data',
    0.07,
  ],
  'stages[].access.hotspot.operations': [
    'stages.0.access={ hotspot: { data: 20%, operations: 99.5% } }',
    'stages.0.access.hotspot.operations',
    0.995,
  ],
  'stages[].access.strided.chunk': [
    'stages.0.access={ strided: { chunk: 2MiB } }',
    'stages.0.access.strided.chunkBytes',
    2 * 1024 ** 2,
  ],
  'stages[].access.strided.stride': [
    'stages.0.access={ strided: { stride: 4MiB } }',
    'stages.0.access.strided.strideBytes',
    4 * 1024 ** 2,
  ],
  'stages[].verify': [['dataset.verify=true', 'stages.0.verify=false'], 'stages.0.verify', false],
  'stages[].threads': ['stages.0.threads=16', 'stages.0.threads', 16],
  'stages[].direct': ['stages.0.direct=true', 'stages.0.direct', true],
  'stages[].noatime': ['stages.0.noatime=true', 'stages.0.noatime', true],
  'stages[].fsync': ['stages.1.fsync=10', 'stages.1.fsync', 10],
  'stages[].iodepth': [
    'stages.2={ name: u, mix: read, iodepth: 4, duration: 1s }',
    'stages.2.iodepth',
    4,
  ],
  'stages[].sync': ['stages.1.sync=o_dsync', 'stages.1.sync', 'o_dsync'],
  'stages[].fdatasync': ['stages.1.fdatasync=true', 'stages.1.fdatasync', true],
  'stages[].drop_cache': ['stages.0.drop_cache=true', 'stages.0.dropCache', true],
  'stages[].duration': ['stages.0.duration=61s', 'stages.0.durationMs', 61_000],
  'stages[].max_operations': ['stages.0.max_operations=1e6', 'stages.0.maxOperations', 1e6],
  'stages[].max_bytes': ['stages.0.max_bytes=1GiB', 'stages.0.maxBytes', 1024 ** 3],
  'stages[].rate': [
    'stages.1.rate={ from: 1e3/s, to: 5e4/s }',
    'stages.1.rate',
    { unit: 'operations', steps: [{ from: 1000, to: 50_000 }] },
  ],
  'stages[].arrival': ['stages.1.arrival=poisson', 'stages.1.arrival', 'poisson'],
  'stages[].think_time': ['stages.0.think_time=250us', 'stages.0.thinkTimeNs', 250_000],
  'stages[].warmup': ['stages.0.warmup=10s', 'stages.0.warmupMs', 10_000],
  'stages[].max_error_rate': ['stages.0.max_error_rate=0.5%', 'stages.0.maxErrorRate', 0.005],
  'stages[].error_policy': ['stages.1.error_policy={ write: stop }', 'stages.1.stopOn', ['write']],
  expect: ['expect=[s.errors == 0]', 'expect.0.value', 0],
  failure_policy: ['failure_policy=80%', 'failurePolicy', { percent: 80 }],
  'timeouts.connect': ['timeouts.connect=1s', 'timeouts.connectMs', 1000],
  'timeouts.hello': ['timeouts.hello=1s', 'timeouts.helloMs', 1000],
  'timeouts.prepare_silence': ['timeouts.prepare_silence=9s', 'timeouts.prepareSilenceMs', 9000],
  'timeouts.prepare_io_stall': [
    'timeouts.prepare_io_stall=1h',
    'timeouts.prepareIoStallMs',
    3_600_000,
  ],
  'timeouts.ping_after': ['timeouts.ping_after=9s', 'timeouts.pingAfterMs', 9000],
  'timeouts.hung_after': ['timeouts.hung_after=9s', 'timeouts.hungAfterMs', 9000],
  'timeouts.collect': ['timeouts.collect=9s', 'timeouts.collectMs', 9000],
  'timeouts.drain': ['timeouts.drain=9s', 'timeouts.drainMs', 9000],
  'timeouts.abort': ['timeouts.abort=9s', 'timeouts.abortMs', 9000],
  'timeouts.cleanup': ['timeouts.cleanup=9s', 'timeouts.cleanupMs', 9000],
  'timeouts.reconnect_window': ['timeouts.reconnect_window=0', 'timeouts.reconnectWindowMs', 0],
  'timeouts.lease': ['timeouts.lease=200s', 'timeouts.leaseMs', 200_000],
  'timeouts.operation': ['timeouts.operation=2s', 'timeouts.operationMs', 2000],
  'limits.concurrency': ['limits.concurrency=64', 'limits.concurrency', 64],
  max_start_spread: ['max_start_spread=3ms', 'maxStartSpreadMs', 3],
  'results.folder': ['results.folder=/elsewhere', 'results.folder', '/elsewhere'],
  'tls.ca': ['tls.ca=/etc/muster/ca.pem', 'tls.ca', '/etc/muster/ca.pem'],
  'tls.cert': ['tls.cert=own.pem', 'tls.cert', 'own.pem'],
  'tls.key': ['tls.key=own.key', 'tls.key', 'own.key'],
  'results.formats': ['results.formats=[csv]', 'results.formats', ['csv']],
};

/** Keys that exclude others of the plan above: each with a config of its own. */
const apart: Readonly<Record<string, readonly [config: string, path: string, expected: unknown]>> =
  {
    'stages[].shift': [
      'agents: [a, b, c]\ntarget: /mnt\ndataset: { files: 1 }\nstages: [{ name: s, mix: read, shift: 1, duration: 1s }]',
      'stages.0.shift',
      1,
    ],
    'dataset.prepare': [
      'target: /mnt\ndataset: { files: 1, prepare: none }\nstages: [{ name: s, mix: write, duration: 1s }]',
      'dataset.prepare',
      'none',
    ],
    'dataset.existing': [
      'dataset: { existing: [/srv/a, "/srv/{agent}"] }\nstages: [{ name: s, mix: read, duration: 1s }]',
      'dataset.given',
      { kind: 'existing', paths: ['/srv/a', '/srv/{agent}'] },
    ],
    'dataset.devices': [
      'dataset: { devices: [/dev/sdx] }\nstages: [{ name: s, mix: read, duration: 1s }]',
      'dataset.given',
      { kind: 'devices', paths: ['/dev/sdx'] },
    ],
  };

const lists = ['agents', 'stages'];
const leaves = configKeys().filter(
  ({ section, meta }) => !section || meta.description !== undefined,
);

function valueIn(plan: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], plan);
}

test('[CONF-03] the list below has every key of the schema and no other', () => {
  const named = [...Object.keys(rows), ...Object.keys(apart)];
  assert.deepEqual(named.sort(), leaves.map(({ name }) => name).sort());
});

for (const [name, [set, path, expected]] of Object.entries(rows)) {
  // The last one is the key's own; those before make room for it.
  const sets = typeof set === 'string' ? [set] : set;
  test(`[CONF-03] ${name} is not ignored: --set ${sets.join(' ')} changes the plan there`, () => {
    const before = planOf(base, { sets: sets.slice(0, -1) }).plan;
    const { plan, warnings } = planOf(base, { sets });
    assert.notDeepEqual(valueIn(before, path), expected);
    assert.deepEqual(valueIn(plan, path), expected);
    assert.deepEqual(warnings, []);
  });
}

for (const [name, [config, path, expected]] of Object.entries(apart)) {
  test(`[CONF-03] ${name} is not ignored`, () => {
    const { plan, warnings } = planOf(config);
    assert.deepEqual(valueIn(plan, path), expected);
    assert.deepEqual(warnings, []);
    const again = planOf(stringify({ seed: 1, ...planAsConfig(plan) }), { file: 'again.yaml' });
    assert.deepEqual({ ...again.plan.dataset, seed: undefined }, plan.dataset);
    assert.deepEqual(again.plan.stages, plan.stages);
  });
}

for (const { name, meta } of leaves) {
  test(`[CONF-04] ${name} says what it means`, () => {
    assert(meta.description !== undefined && meta.description.length > 10);
    assert(meta.unit !== undefined);
  });
}

test('[CONF-03] every plan can be written as a config that gives the same plan again', () => {
  const withAll = Object.entries(rows).flatMap(([key, [set]]) =>
    // The whole lists would hide the keys in them, and fio cannot do what some of the others say.
    [...lists, 'stages[].name', 'stages[].fio'].includes(key) ? [] : [set].flat(),
  );
  for (const sets of [[], withAll, ...withAll.map((set) => [set])]) {
    const { plan } = planOf(base, { sets });
    const again = planOf(stringify(planAsConfig(plan)), { file: 'again.yaml' }).plan;
    assert.deepEqual(again, plan, sets.join(' '));
  }
});
