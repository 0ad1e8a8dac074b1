import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorsIn, planOf, problemsOf } from '../../../support/example-plan.js';

const base = `
target: /mnt/bench
dataset: { files: 8, file_size: 1MiB }
stages:
  - { name: a, mix: read, block_size: 4KiB, duration: 10s }
`;

/** What `--set`s make of the base config: the one problem, without its place. */
type Rows = readonly (readonly [sets: string | readonly string[], expected: string])[];

function refused(rows: Rows): void {
  for (const [given, expected] of rows) {
    const sets = typeof given === 'string' ? [given] : given;
    const found = errorsIn(base, { sets }).map(({ message }) => message);
    assert.deepEqual(
      found.map((line) => line.slice(0, expected.length)),
      [expected],
      sets.join(' '),
    );
  }
}

function accepted(rows: readonly (readonly string[])[]): void {
  for (const sets of rows) assert.deepEqual(problemsOf(base, { sets }), [], sets.join(' '));
}

test('[RUN-23] a stage that would do nothing is an error before anything runs', () => {
  refused([
    ['stages.0.max_operations=0', 'stages[0].max_operations: 0 is too little; at least 1'],
    ['stages.0.duration=0s', 'stages[0].duration: 0ms is too little; at least 100ms'],
    ['stages.0.max_bytes=0', 'stages[0].max_bytes: 0B is too little'],
    ['stages.0.mix={ read: 0, write: 0 }', 'stages[0].mix: all weights are zero'],
    ['stages.0.mix={}', 'stages[0].mix: all weights are zero'],
    [
      'dataset.files=0',
      'stages[0].mix: read needs files: nothing would be done; set dataset.files',
    ],
    [
      ['dataset.files=0', 'stages.0.mix={ put: 1, stat: 1, list: 1 }'],
      'stages[0].mix: stat, list needs files',
    ],
    [
      'stages.0.max_bytes=1KiB',
      'stages[0].max_bytes: 1KiB is less than one operation (4KiB): nothing would be done',
    ],
    [
      ['stages.0.max_bytes=1KiB', 'stages.0.mix=get'],
      'stages[0].max_bytes: 1KiB is less than one operation (1MiB)',
    ],
    ['stages=[]', 'stages: is empty: nothing would be done'],
  ]);
});

test('[RUN-23] a one-second and a one-operation stage are fine', () => {
  accepted([
    ['stages.0.duration=1s'],
    ['stages.0={ name: one, mix: read, max_operations: 1 }'],
    ['dataset.files=0', 'stages.0.mix=put'],
    ['dataset.files=0', 'target=null:'],
    ['stages.0.max_bytes=4KiB'],
  ]);
});

test('a stage that would never end is refused', () => {
  refused([
    [
      'stages.0={ name: a, mix: read }',
      'stages[0]: has no limit and would never end; give duration',
    ],
  ]);
  refused([
    [
      'stages.0={ name: a, mix: stat, max_bytes: 1GB }',
      'stages[0].max_bytes: the operations of this stage move no bytes',
    ],
  ]);
});

test('delete, rename and rmdir need something that was made in the same or an earlier stage', () => {
  refused([
    [
      'stages.0.mix=delete',
      'stages[0].mix: delete has nothing to remove; it needs put in the same or an earlier stage',
    ],
    [
      'stages.0.mix={ read: 1, rmdir: 1 }',
      'stages[0].mix: rmdir has nothing to remove; it needs mkdir',
    ],
    [
      'stages.0.mix=rename',
      'stages[0].mix: rename has nothing to rename; it needs put in the same or an earlier stage',
    ],
    [
      ['stages.0.mix=delete', 'stages.1={ name: b, mix: put, duration: 1s }'],
      'stages[0].mix: delete has nothing to remove',
    ],
  ]);
  accepted([
    ['stages.0.mix={ put: 1, delete: 1 }'],
    ['stages.0.mix=put', 'stages.1={ name: b, mix: delete, duration: 1s }'],
    ['stages.0.mix={ mkdir: 1, rmdir: 1 }'],
  ]);
});

test('[RUN-16] concurrency above the limit is refused, of a stage and of an agent', () => {
  refused([
    ['stages.0.threads=1025', 'stages[0].threads: Concurrency too high (limit: 1024)'],
    ['stages.0.iodepth=1025', 'stages[0].threads: Concurrency too high (limit: 1024)'],
    [
      ['stages.0.threads=65', 'limits.concurrency=64'],
      'stages[0].threads: Concurrency too high (limit: 64)',
    ],
    [
      'agents=[{ address: x, threads: 1025 }]',
      'agents[0].threads: Concurrency too high (limit: 1024)',
    ],
    [
      ['stages.0.threads=64', 'stages.0.iodepth=17'],
      'stages[0].threads: Concurrency too high (limit: 1024)',
    ],
    [
      ['agents=[{ address: x, threads: 64 }]', 'stages.0.iodepth=17'],
      'agents[0].threads: Concurrency too high (limit: 1024)',
    ],
    ['stages.0.threads=257', 'stages[0].threads: 257 is too much; at most 256 threads'],
    [
      ['stages.0.threads=2000', 'limits.concurrency=4096'],
      'stages[0].threads: 2000 is too much; at most 256 threads',
    ],
  ]);
  accepted([
    ['stages.0.threads=256'],
    ['stages.0.threads=64', 'limits.concurrency=64'],
    ['stages.0.threads=64', 'stages.0.iodepth=16'],
    ['stages.0.threads=4', 'stages.0.iodepth=4096', 'limits.concurrency=16384'],
  ]);
});

test('[ENG-02] iodepth is refused for what an engine can only do one at a time', () => {
  refused([
    [
      ['stages.0={ name: a, mix: { get: 1, read: 1 }, iodepth: 2, duration: 1s }'],
      'stages[0].iodepth: the file engine does one get at a time in each thread; use more threads instead',
    ],
  ]);
  accepted([
    ['stages.0={ name: a, mix: { write: 1, read: 1 }, iodepth: 2, duration: 1s }'],
    ['stages.0={ name: a, mix: read, iodepth: 2, rate: 100/s, warmup: 1s, duration: 1s }'],
    ['stages.0={ name: a, mix: read, iodepth: 2, think_time: 1ms, duration: 1s }'],
    ['stages.0={ name: a, mix: { get: 1, read: 1 }, iodepth: 2, duration: 1s }', 'target="null:"'],
  ]);
});

test('blocks are no larger than files, and direct I/O needs multiples of 512', () => {
  refused([
    [
      'stages.0.block_size=2MiB',
      'stages[0].block_size: 2MiB is more than dataset.file_size (1MiB)',
    ],
    [
      ['stages.0.direct=true', 'stages.0.block_size=1000'],
      'stages[0].direct: direct I/O needs a multiple of 512 bytes; block_size is 1KB',
    ],
    [
      ['stages.0.direct=true', 'dataset.file_size=1MB', 'stages.0.block_size=4KiB'],
      'stages[0].direct: direct I/O needs a multiple of 512 bytes; dataset.file_size is 1MB',
    ],
  ]);
  accepted([
    ['stages.0.block_size=1MiB', 'stages.0.direct=true'],
    ['stages.0.mix=get', 'stages.0.block_size=2MiB'],
  ]);
});

test('[SAFE-04] [ENG-02] a target without an engine, or in a folder of the system, is refused', () => {
  refused([
    ['target=s3://bucket/x', 'target: no engine for "s3:"'],
    ['target=/etc/x', 'target: /etc/x is in /etc, which is never a target'],
    ['target=/', 'target: / is never a target'],
    ['target=bench', 'target: "bench" is not an absolute path'],
    ['target=/mnt/{host}', 'target: {host} is not known; there are {agent} and {index}'],
    ['agents=[{ address: x, target: /usr/x }]', 'agents[0].target: /usr/x is in /usr'],
    ['target=file://{agent}/x', 'target: "file://agent-1/x" is not a local file URI'],
  ]);
});

test('the target may be left out when every agent has one of its own', () => {
  const text = base.replace('target: /mnt/bench', 'agents: [{ address: x, target: /mnt/x }, y]');
  assert.deepEqual(problemsOf(text), [
    'test.yaml:2:1: target: is missing: where should the load go?',
  ]);
  assert.deepEqual(problemsOf(text.replace(', y]', ']')), []);
});

test('fewer files than agents that share them are fine: one file for all is IOR’s single shared file', () => {
  accepted([['agents=[a, b, c]', 'namespace=shared', 'dataset.files=1']]);
});

const given = (kind: string, stages: string): string => `
dataset: { ${kind}: [/srv/a, "/srv/{agent}"] }
stages: [${stages}]
`;

test('[SAFE-05] on what is there already only blocks are read and written', () => {
  const read = '{ name: r, mix: read, block_size: 4KiB, duration: 1s }';
  const write = '{ name: w, mix: write, block_size: 16MiB, access: random, duration: 1s }';
  const messages = (text: string, ...sets: readonly string[]): readonly string[] =>
    errorsIn(text, { sets }).map(({ message }) => message);
  for (const kind of ['existing', 'devices']) {
    assert.deepEqual(planOf(given(kind, read)).warnings, []);
    assert.deepEqual(planOf(given(kind, `${read}, ${write}`)).warnings, []);
    for (const mix of ['put', '{ get: 1, read: 1 }', 'list']) {
      const [problem = ''] = messages(given(kind, read), `stages.0.mix=${mix}`);
      assert.match(problem, /^stages\[0\]\.mix: (put|get|list) cannot be done with dataset\./);
    }
    assert.deepEqual(messages(given(kind, read), 'dataset.files=3'), [
      `dataset.${kind}: files are made or they are there already: leave out dataset.files or dataset.${kind}`,
    ]);
    assert.deepEqual(messages(given(kind, read), 'target=/mnt'), [
      `target: has no effect: dataset.${kind} says where the data is; leave it out`,
    ]);
    const relative = messages(given(kind, read), `dataset.${kind}=[relative]`);
    assert.ok(relative.includes(`dataset.${kind}[0]: must be an absolute path`));
    assert.deepEqual(messages(given(kind, read), `dataset.${kind}=["/a/{host}"]`), [
      `dataset.${kind}: {host} is not known; there are {agent} and {index}`,
    ]);
  }
  assert.ok(
    messages(given('existing', read), 'dataset.devices=[/dev/sdx]').includes(
      'dataset: existing and devices exclude each other',
    ),
  );
  assert.deepEqual(messages('target: "file:"\nstages: [{ name: p, mix: put, duration: 1s }]'), [
    'target: is missing: where should the load go?',
  ]);
});

test('a dataset that cannot be counted or has a million folders is refused', () => {
  refused([
    [
      'dataset.directories={ width: 1001, depth: 2 }',
      'dataset.directories: 1001^2 folders are too many',
    ],
    [
      ['dataset.files=1e8', 'dataset.file_size=1TiB'],
      'dataset: files × file_size is more than can be counted',
    ],
  ]);
});

test('thresholds are about stages and operations that there are', () => {
  refused([
    ['expect=[b.errors == 0]', 'expect[0]: no stage is called "b"; did you mean "a"?'],
    [
      'expect=[a.write.errors == 0]',
      'expect[0]: stage "a" does no write, so "a.write.errors == 0" could never be met',
    ],
    [
      'expect=[a.read.service.p98 < 1s]',
      'expect[0]: "a.read.service.p98 < 1s": no metric "service.p98"',
    ],
  ]);
  accepted([
    ['expect=[a.errors == 0, a.read.service.p99 < 1s]'],
    ['stages.0.mix={ read: 50, write: 50 }', 'expect=[a.write.count > 0, a.read.count > 0]'],
  ]);
});

test('deadlines that undermine each other are refused', () => {
  refused([
    ['timeouts.lease=120s', 'timeouts.lease: 2m must be longer than ping_after + hung_after (2m)'],
    [
      'timeouts.ping_after=100s',
      'timeouts.lease: 150s must be longer than ping_after + hung_after (160s)',
    ],
    [
      'timeouts.reconnect_window=150s',
      'timeouts.lease: 150s must be longer than reconnect_window (150s)',
    ],
    [
      'timeouts.prepare_io_stall=10s',
      'timeouts.prepare_io_stall: 10s must not be shorter than prepare_silence (30s)',
    ],
    ['timeouts.connect=0', 'timeouts.connect: 0ms is too little; at least 100ms'],
    ['timeouts.connect=1d', 'timeouts.connect: 1d is too much; at most 10m'],
    [
      ['stages.0.duration=300d', 'stages.1={ name: b, mix: read, duration: 100d }'],
      'stages: the stages take 400d together; a run lasts less than one year',
    ],
  ]);
});

test('[CONF-01] an order of access that means nothing is refused', () => {
  refused([
    [
      'stages.0.access=shufled',
      'stages[0].access: "shufled" is not an order; did you mean "shuffled"?',
    ],
    ['stages.0.access={ zipf: 0 }', 'stages[0].access.zipf: must be at least 0.01'],
    ['stages.0.access={ zpif: 1 }', 'stages[0].access.zpif: unknown key; did you mean "zipf"?'],
    [
      'stages.0.access={ zipf: 1, strided: {} }',
      'stages[0].access: must have exactly one of zipf, hotspot, strided',
    ],
    [
      'stages.0.access={ hotspot: { data: 20, operations: 80% } }',
      'stages[0].access.hotspot.data: must be a percentage such as 20%',
    ],
    [
      'stages.0.access={ hotspot: { data: 20%, operations: 120% } }',
      'stages[0].access.hotspot.operations: must be more than 0% and at most 100%',
    ],
    [
      ['stages.0.block_size=64KiB', 'stages.0.access={ strided: { chunk: 100KiB } }'],
      'stages[0].access.strided.chunk: 100KiB is not a multiple of the block size (64KiB)',
    ],
    [
      [
        'stages.0.mix={ read: 1, write: 1 }',
        'stages.0.block_size={ read: 12KiB, write: 16KiB }',
        'stages.0.access={ strided: { chunk: 16KiB } }',
      ],
      'stages[0].access.strided.chunk: 16KiB is not a multiple of the block size (12KiB)',
    ],
    [
      [
        'stages.0.block_size=64KiB',
        'stages.0.access={ strided: { chunk: 256KiB, stride: 128KiB } }',
      ],
      'stages[0].access.strided.stride: 128KiB is less than a chunk (256KiB)',
    ],
  ]);
});

test('[CONF-01] sizes that mean nothing or do not go together are refused', () => {
  refused([
    [
      'dataset.file_size={ unifrom: [4KiB, 1MiB] }',
      'dataset.file_size.unifrom: unknown key; did you mean "uniform"?',
    ],
    [
      'dataset.file_size={ uniform: [1MiB, 4KiB] }',
      'dataset.file_size.uniform: the first must not be larger than the second',
    ],
    [
      'dataset.file_size={ lognormal: { mean: 1KiB, sd: 1KiB, min: 4KiB, max: 1MiB } }',
      'dataset.file_size.lognormal: the mean must lie between min and max',
    ],
    ['dataset.file_size=[{ size: 4KiB }]', 'dataset.file_size[0].weight: is missing'],
    [
      'dataset.file_size=[{ size: 4KiB, wieght: 1, weight: 1 }]',
      'dataset.file_size[0].wieght: unknown key; did you mean "weight"?',
    ],
    [
      [
        'stages.0={ name: a, mix: write, block_size: 6KiB, duration: 1s }',
        'dataset.content={ compress: 2 }',
      ],
      'stages[0].block_size: compress and dedup need writes of a multiple of 4KiB, not of 6KiB',
    ],
    [
      'dataset.content=randmo',
      'dataset.content: "randmo" is not a content; did you mean "random"?',
    ],
    ['dataset.content={ compress: 0.5 }', 'dataset.content.compress: must be at least 1'],
    ['dataset.content={}', 'dataset.content: must have compress, dedup or both'],
    ['dataset.file_size=[]', 'dataset.file_size: is empty'],
    [
      ['stages.0.access=shuffled', 'stages.0.block_size={ uniform: [4KiB, 64KiB] }'],
      'stages[0].access: shuffled takes every block once and needs one block_size; random, zipf, hotspot and sequential take several',
    ],
    [
      'stages.0.block_size={ uniform: [4KiB, 8KiB], read: 4KiB }',
      'stages[0].block_size: must have either uniform, or read and write',
    ],
  ]);
  const uneven = 'dataset.file_size={ uniform: [4KiB, 1MiB] }';
  accepted([
    [uneven, 'stages.0.block_size=4KiB'],
    ['stages.0.block_size={ read: 4KiB, write: 64KiB }'],
    ['stages.0.block_size=[{ size: 4KiB, weight: 9 }, { size: 64KiB, weight: 1 }]'],
  ]);
});

test('[CONF-01] files that are smaller than the blocks of a stage are warned of, with what becomes of them', () => {
  const warned = (files: string, blocks: string, mix = 'read'): readonly string[] => {
    const sets = [`dataset.file_size=${files}`, `stages.0.block_size=${blocks}`];
    const { warnings } = planOf(base, { sets: [...sets, `stages.0.mix=${mix}`] });
    return warnings.map((line) => line.replace(/^.*block_size: /, ''));
  };
  const doThis = (from: string): string =>
    `(file_size begins at ${from}): use a smaller block_size or larger files`;
  const leftOut = (size: string, by: string, from: string): string =>
    `files smaller than ${size} have no whole block and are left out by ${by} ${doThis(from)}`;
  const cut = (size: string, by: string, from: string): string =>
    `blocks of up to ${size} are cut to the file, where it is smaller, by ${by} ${doThis(from)}`;
  const both = '{ read: 1, write: 1 }';
  for (const files of [
    '{ uniform: [4KiB, 1MiB] }',
    '{ lognormal: { mean: 64KiB, sd: 64KiB, min: 4KiB, max: 1MiB } }',
    '[{ size: 4KiB, weight: 9 }, { size: 1MiB, weight: 1 }]',
  ]) {
    assert.deepEqual(warned(files, '4KiB'), []);
    assert.deepEqual(warned(files, '8KiB'), [leftOut('8KiB', 'read', '4KiB')]);
    assert.deepEqual(warned(files, '8KiB', both), [leftOut('8KiB', 'read and write', '4KiB')]);
    assert.deepEqual(warned(files, '8KiB', '{ get: 1, stat: 1 }'), []);
    // Each operation by its own blocks, and only those of the mix.
    const split = '{ read: 4KiB, write: 8KiB }';
    assert.deepEqual(warned(files, split, both), [leftOut('8KiB', 'write', '4KiB')]);
    assert.deepEqual(warned(files, split, 'write'), [leftOut('8KiB', 'write', '4KiB')]);
    assert.deepEqual(warned(files, split, 'read'), []);
    for (const blocks of [
      '{ uniform: [4KiB, 64KiB] }',
      '[{ size: 4KiB, weight: 9 }, { size: 64KiB, weight: 1 }]',
    ]) {
      assert.deepEqual(warned(files, blocks, both), [cut('64KiB', 'read and write', '4KiB')]);
      const writes = `{ read: 4KiB, write: ${blocks} }`;
      assert.deepEqual(warned(files, writes, both), [cut('64KiB', 'write', '4KiB')]);
    }
    assert.deepEqual(warned(files, '{ uniform: [8KiB, 64KiB] }'), [
      leftOut('8KiB', 'read', '4KiB'),
      cut('64KiB', 'read', '4KiB'),
    ]);
  }
  // Files of one size, and the largest of several, have to have room for the largest block.
  for (const blocks of ['2MiB', '{ uniform: [4KiB, 2MiB] }', '[{ size: 2MiB, weight: 1 }]']) {
    for (const files of ['1MiB', '{ uniform: [4KiB, 1MiB] }']) {
      refused([
        [
          [`dataset.file_size=${files}`, `stages.0.block_size=${blocks}`],
          'stages[0].block_size: 2MiB is more than dataset.file_size (1MiB)',
        ],
      ]);
    }
  }
});

test('[CONF-01] every file has room for a block where no block_size is given', () => {
  const blocksOf = (files: string, mix: string): number => {
    const sets = [`dataset.file_size=${files}`, `stages.0.mix=${mix}`];
    const { plan, warnings } = planOf(base.replace('block_size: 4KiB, ', ''), { sets });
    assert.deepEqual(warnings, []);
    return plan.stages[0]?.blockSizeBytes ?? NaN;
  };
  const uneven = '{ uniform: [8KiB, 128KiB] }';
  assert.equal(blocksOf(uneven, 'read'), 8192);
  assert.equal(blocksOf(uneven, '{ write: 1, get: 1 }'), 8192);
  assert.equal(blocksOf(uneven, 'get'), 131_072, 'calls of a get as long as can be');
  assert.equal(blocksOf('{ uniform: [2MiB, 4MiB] }', 'read'), 1024 ** 2);
});

test('[CONF-01] what cannot be verified is refused', () => {
  const verified = 'dataset.verify=true';
  refused([
    [
      'stages.0.verify=true',
      'stages[0].verify: needs dataset.verify: only a dataset that was made for it can be verified',
    ],
    [
      [verified, 'dataset.content=zero'],
      'dataset.content: verify needs blocks that differ: content random, or compress without dedup',
    ],
    [
      [verified, 'dataset.content={ dedup: 2 }'],
      'dataset.content: verify needs blocks that differ: content random, or compress without dedup',
    ],
    [
      [verified, 'dataset.prepare.block_size=6KiB'],
      'dataset.prepare.block_size: verify needs writes of a multiple of 4KiB, not of 6KiB',
    ],
    [
      [verified, 'stages.0.block_size=6KiB'],
      'stages[0].block_size: verify needs reads and writes of a multiple of 4KiB, not of 6KiB',
    ],
    [
      [verified, 'stages.0.mix=get', 'dataset.file_size=65MiB'],
      'stages[0].verify: get is verified in memory, in files of at most 64MiB; set verify to false here, or use read',
    ],
    [
      [
        verified,
        'namespace=shared',
        'agents=[a, b, c]',
        'stages.0.mix=write',
        'stages.0.access=random',
      ],
      'stages[0].access: agents that share files would overwrite each other’s blocks while these are verified; use sequential or strided, or namespace private',
    ],
    [
      [verified, 'stages.0.mix={ put: 1, read: 1 }'],
      'stages[0].verify: what put makes is not verified, because no operation reads it back; write files of the dataset with write, or set verify to false here',
    ],
    [
      [verified, 'target="null:"'],
      'dataset.verify: a null: target keeps nothing that could be verified',
    ],
  ]);
  accepted([
    [verified],
    [verified, 'dataset.content={ compress: 2 }'],
    [verified, 'stages.0.mix={ put: 1, read: 1 }', 'stages.0.verify=false'],
  ]);
});

test('a stage that verifies expects no errors, unless the config says otherwise', () => {
  const texts = (...sets: string[]): readonly string[] =>
    planOf(base, { sets: ['dataset.verify=true', ...sets] }).plan.expect.map(({ text }) => text);
  assert.deepEqual(texts(), ['a.errors == 0']);
  assert.deepEqual(texts('stages.0.verify=false'), []);
  assert.deepEqual(texts('expect=[a.errors < 5]'), ['a.errors < 5']);
});

test('two stages have two names', () => {
  refused([
    [
      'stages.1={ name: a, mix: read, duration: 1s }',
      'stages[1].name: "a" is the name of stages[0] already',
    ],
  ]);
});

test('what is odd but works is a warning', () => {
  const rows = [
    ['agents=[a, b]', /failure_policy: with two agents the loss of one loses the majority/],
    [
      'stages.0={ name: a, mix: stat, duration: 1s, direct: true }',
      /direct: has no effect: the stage does no read, write, get or put/,
    ],
    ['stages.0={ name: a, mix: write, duration: 1s, noatime: true }', /noatime: has no effect/],
    ['stages.0={ name: a, mix: read, duration: 1s, fsync: end }', /fsync: has no effect/],
    ['stages.0={ name: a, mix: read, duration: 1s, sync: o_sync }', /sync: has no effect/],
    ['stages.0={ name: a, mix: write, duration: 1s, fdatasync: true }', /fdatasync: has no effect/],
    [
      'stages.0={ name: a, mix: read, duration: 1s, direct: true, drop_cache: true }',
      /drop_cache: has little effect/,
    ],
    ['stages.0={ name: a, mix: put, duration: 1s, access: random }', /access: has no effect/],
    [
      'stages.0={ name: a, mix: read, block_size: 512, direct: true, duration: 1s }',
      /many devices want multiples of 4096 bytes for direct I\/O; block_size is 512B/,
    ],
  ] as const;
  for (const [set, expected] of rows) {
    const { warnings } = planOf(base, { sets: [set] });
    assert.equal(warnings.length, 1, set);
    assert.match(warnings[0] ?? '', expected);
  }
  assert.deepEqual(planOf(base, { embedded: 2 }).warnings, []);
  assert.deepEqual(planOf(base, { sets: ['agents=[a, b]', 'failure_policy=any'] }).warnings, []);
});

test('with prepare none nothing is read before stages have written all of it', () => {
  const written = (more: string): string => `stages.0={ name: w, mix: write, ${more} }`;
  const read = 'stages.1={ name: r, mix: { read: 1, get: 1 }, block_size: 4KiB, duration: 1s }';
  const none = 'dataset.prepare=none';
  const why = (...sets: readonly string[]): readonly string[] =>
    errorsIn(base, { sets: [none, ...sets] }).map(({ message }) => message);
  const reads = 'dataset.prepare: none, but stage "r" reads: ';
  assert.deepEqual(why(), [
    'dataset.prepare: none, but stage "a" reads: a stage before it has to write the files',
  ]);
  assert.deepEqual(why(written('access: random, duration: 1s'), read), [
    `${reads}a stage before it has to write every block; its access must be sequential, shuffled, or strided without stride`,
  ]);
  assert.deepEqual(why(written('block_size: 48KiB, duration: 1s'), read), [
    `${reads}file_size (1MiB) is no multiple of the block_size of the stage that writes, which leaves the rest of each file alone`,
  ]);
  for (const limit of ['max_bytes: 7MiB', 'max_operations: 7']) {
    assert.deepEqual(why(written(limit), read), [
      `${reads}the stages before it write at most 7MiB of 8MiB`,
    ]);
  }
  assert.deepEqual(why(written('max_bytes: 15MiB'), read, 'agents=[a, b, c]'), [
    `${reads}the stages before it write at most 15MiB of 24MiB`,
  ]);
  for (const access of ['sequential', 'shuffled', '{ strided: {} }']) {
    assert.deepEqual(why(written(`access: ${access}, max_bytes: 8MiB`), read), []);
  }
  assert.deepEqual(why(written('duration: 1s'), read), []);
  assert.deepEqual(why('stages.0={ name: s, mix: { write: 1, stat: 1 }, duration: 1s }'), []);
  // fio writes nothing into empty files: before it a stage of Muster's own has to, whatever fio does.
  const byFio = 'stages.1={ name: f, mix: write, fio: {}, block_size: 4KiB, duration: 1s }';
  assert.deepEqual(why(byFio.replace('.1', '.0'), read), [
    'dataset.prepare: none, but stage "f" is run by fio, which needs files that are whole: a stage before it has to write the files',
  ]);
  assert.deepEqual(why(written('duration: 1s'), byFio), []);
});

test('direct writes of prepare are whole sectors', () => {
  refused([
    [
      ['dataset.prepare.direct=true', 'dataset.prepare.block_size=1000'],
      'dataset.prepare.direct: direct I/O needs a multiple of 512 bytes; block_size is 1KB',
    ],
    [
      ['dataset.prepare.direct=true', 'dataset.file_size=5000'],
      'dataset.prepare.direct: direct I/O needs a multiple of 512 bytes; dataset.file_size is 5KB',
    ],
  ]);
});

test('[SAFE-05] fio gets no files or devices that are there already: what it would do to them nobody could tell', () => {
  const read = '{ name: r, mix: read, block_size: 4KiB, duration: 1s, fio: { ioengine: psync } }';
  assert.deepEqual(
    errorsIn(given('devices', read)).map(({ message }) => message),
    ['stages[0].fio: fio needs files that Muster makes, not dataset.devices'],
  );
});

test('shift reads a neighbour’s data, where there is one to read', () => {
  const agents = 'agents=[a, b, c]';
  const shift = 'stages.0.shift=1';
  refused([
    [shift, 'stages[0].shift: has no effect: with 1 agent it leads back to the agent itself'],
    [[agents, 'stages.0.shift=6'], 'stages[0].shift: has no effect: with 3 agents it leads'],
    [
      [agents, shift, 'stages.0.mix={ read: 1, write: 1 }'],
      "stages[0].shift: a neighbour's data is only read, not write",
    ],
    [
      [agents, shift, 'namespace=shared', 'stages.0.access=random'],
      'stages[0].shift: has no effect: this access goes to all of the shared files',
    ],
    [
      [agents, shift, 'target=/mnt/{index}'],
      'stages[0].shift: needs one target that all agents share; they have different ones',
    ],
  ]);
  accepted([
    [agents, shift],
    [agents, shift, 'namespace=shared'],
    [agents, shift, 'stages.0.mix={ get: 1, stat: 1 }'],
  ]);
});
