/** What somebody writes who knows another tool, or slips on YAML: the sentence says what to write instead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, problemsOf } from '../../../support/example-plan.js';

/** A config with one stage; what is in `more` comes at its end. */
function config(more: string, stage = 'mix: read, duration: 1s'): string {
  return `target: /mnt/bench
dataset: { files: 8, file_size: 1MiB }
stages:
  - { name: s, ${stage}, ${more} }
`;
}

const stages = {
  'queue_depth: 32': 'stages[0].queue_depth: unknown key; queue_depth is iodepth here',
  'ramp_time: 5s': 'stages[0].ramp_time: unknown key; ramp_time is warmup here',
  'iops: 5000': 'stages[0].iops: unknown key; iops is rate here',
  'thinktime: 5ms':
    "stages[0].thinktime: unknown key; fio's thinktime is think_time here, and fio: { thinktime: … } in a stage that fio runs",
  'rate_iops: 500':
    "stages[0].rate_iops: unknown key; fio's rate_iops is rate here, and fio: { rate_iops: … } in a stage that fio runs",
  '<<: { threads: 4 }': 'stages[0].<<: YAML 1.2 has no merge key; write out what is meant',
  'access: zipf': 'stages[0].access: "zipf" is a mapping; write it like { zipf: 1.1 }',
  'access: "zipf:1.2"': 'stages[0].access: "zipf:1.2" is a mapping; write it like { zipf: 1.1 }',
  'access: Strided':
    'stages[0].access: "Strided" is a mapping; write it like { strided: { chunk: 1MiB } }',
  'access: seq':
    'stages[0].access: "seq" is not an order; known here: sequential, random, shuffled, { zipf: 1.1 }, { hotspot: { data: 20%, operations: 80% } }, { strided: { chunk: 1MiB } }',
  'threads: 1.5': 'stages[0].threads: 1.5 is not a whole number',
  'threads: 5000':
    'stages[0].threads: Concurrency too high (limit: 1024): 5000 threads; there can be 256',
  'iodepth: 2000':
    'stages[0].threads: Concurrency too high (limit: 1024): 1 thread × iodepth 2000; limits.concurrency raises it',
  'fio: { ioengine: rados }':
    'stages[0].fio.ioengine: "rados" is not among the engines that work on the dataset\'s files: psync, sync, vsync, pvsync, pvsync2, libaio, io_uring, posixaio, mmap, splice',
};

for (const [more, sentence] of Object.entries(stages)) {
  test(`[CONF-01] ${more} in a stage`, () => {
    assert.deepEqual(problemsOf(config(more)).map(withoutPlace), [sentence]);
  });
}

const mixes = {
  randread: "fio's randread is mix: read and access: shuffled (or random) here",
  randrw: "fio's randrw is mix: { read: 50, write: 50 } and access: shuffled (or random) here",
  rw: "fio's rw is mix: { read: 50, write: 50 } here",
  '70/30': '"70/30" says not of what; write { read: 70, write: 30 }',
};

for (const [mix, sentence] of Object.entries(mixes)) {
  test(`[CONF-01] mix: ${mix}`, () => {
    const text = config('threads: 2', `mix: ${mix}, duration: 1s`);
    assert.deepEqual(problemsOf(text).map(withoutPlace), [`stages[0].mix: ${sentence}`]);
  });
}

test('[CONF-01] a weight is a number, not a percentage', () => {
  const text = config('threads: 2', 'mix: { read: 70%, write: 30% }, duration: 1s');
  assert.deepEqual(problemsOf(text).map(withoutPlace), [
    'stages[0].mix.read: must be a number such as 70',
    'stages[0].mix.write: must be a number such as 70',
  ]);
});

const others = {
  'expect: [s.errors = 0]':
    'expect[0]: "s.errors = 0": there is no such comparison; there are <, <=, >, >=, == and !=',
  'expect: [s.errors => 1]':
    'expect[0]: "s.errors => 1": there is no such comparison; there are <, <=, >, >=, == and !=',
  'expect: [s.read.p99 < 5ms]':
    'expect[0]: "s.read.p99 < 5ms": p99 of what? Write service.p99 or response.p99',
  'expect: [s.p99.9 < 5ms]':
    'expect[0]: "s.p99.9 < 5ms": p99_9 of what? Write <stage>.<operation>.service.p99_9 or <stage>.<operation>.response.p99_9',
  'agents: node1:7761': 'agents: must be a list of agents such as [node1:7761, node2:7761]',
};

for (const [line, sentence] of Object.entries(others)) {
  test(`[CONF-01] ${line}`, () => {
    assert.deepEqual(problemsOf(`${config('threads: 2')}${line}\n`).map(withoutPlace), [sentence]);
  });
}

test('[CONF-01] a key of a section at the top is told where it belongs', () => {
  const rows = {
    'threads=4': 'threads: unknown key; it belongs further in: stages[0].threads',
    'files=4': 'files: unknown key; it belongs further in: dataset.files',
    'lease=4s': 'lease: unknown key; it belongs further in: timeouts.lease',
  };
  for (const [set, sentence] of Object.entries(rows)) {
    const problems = problemsOf(config('threads: 2'), { sets: [set] });
    assert.deepEqual(problems, [`--set ${set}: ${sentence}`]);
  }
});

test('[CONF-01] a device as the target is told where devices go', () => {
  const text = config('threads: 2').replace('/mnt/bench', '/dev/nvme0n1');
  assert.deepEqual(problemsOf(text).map(withoutPlace), [
    'target: /dev/nvme0n1 is in /dev, which is never a target; dataset.devices is for block devices',
  ]);
});

test('[CONF-01] an IPv6 address without quotes is a list, and told so once', () => {
  for (const agents of ['[[::1]:7761, b:7761]', '\n  - [fe80::1]:7761']) {
    assert.deepEqual(problemsOf(`agents: ${agents}\n${config('threads: 2')}`).map(withoutPlace), [
      'text in [ ] or { } needs quotes to be a key or an address; write "[::1]:7761"',
    ]);
  }
});

test('[CONF-01] broken YAML is told with what is likely to be missing, in our words', () => {
  const broken = (from: string, to: string): string =>
    withoutPlace(problemsOf(config('threads: 2').replace(from, to))[0] ?? '');
  assert.match(broken('read, duration', 'read duration'), /\(is a comma missing\?\)$/);
  assert.match(broken('target: ', 'target:'), /\(is the blank after a colon missing\?\)$/);
  assert.equal(
    broken('dataset:', '---\ndataset:'),
    'a config is one document; there are more documents from this line on',
  );
});

test('[ENG-02] libaio through the page cache does one operation at a time, whatever its iodepth', () => {
  const stage = 'mix: read, block_size: 4KiB, duration: 1s';
  const warned = (more: string): readonly string[] =>
    planOf(config(more, stage)).warnings.map(withoutPlace);
  assert.deepEqual(warned('iodepth: 16, fio: { ioengine: libaio }'), [
    'stages[0].iodepth: has hardly any effect without direct: through the page cache the kernel does one operation of libaio at a time',
  ]);
  for (const more of [
    'iodepth: 16, direct: true, fio: { ioengine: libaio }',
    'iodepth: 16, fio: { ioengine: io_uring }',
    'fio: { ioengine: libaio }',
  ]) {
    assert.deepEqual(warned(more), [], more);
  }
});

/** Without `test.yaml:4:12: `. */
function withoutPlace(line: string): string {
  return line.replace(/^test\.yaml:\d+:\d+: /, '');
}
