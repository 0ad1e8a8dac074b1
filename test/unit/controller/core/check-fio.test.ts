import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, problemsOf } from '../../../support/example-plan.js';

/** A config with one fio stage; later keys win. */
function config(stage: string, more = 'target: /mnt/bench'): string {
  return `${more}
dataset: { files: 8, file_size: 1MiB }
stages:
  - { name: s, duration: 1s, block_size: 4KiB, ${stage} }
`;
}

const rows = {
  'mix: { read: 1, stat: 1 }, fio: {}': /stages\[0\]\.mix: fio stages do read and write, not stat/,
  'mix: read, access: { strided: {} }, fio: {}': /stages\[0\]\.access: fio has no strided access/,
  'mix: read, access: { hotspot: { data: 12.5%, operations: 80% } }, fio: {}':
    /stages\[0\]\.access: fio's zones are whole percentages; round data and operations/,
  'mix: read, access: { zipf: 1 }, fio: {}':
    /stages\[0\]\.access: fio has no zipf with an exponent of exactly 1; use 0\.99 or 1\.01/,
  'mix: { read: 999, write: 1 }, fio: {}':
    /stages\[0\]\.mix: fio divides reads and writes by whole percentages/,
  'mix: read, rate: 100/s, fio: {}':
    /stages\[0\]\.rate: a fio stage is paced by fio's own rate_iops/,
  'mix: read, think_time: 1ms, fio: {}': /stages\[0\]\.think_time: a fio stage waits by fio's own/,
  'mix: read, warmup: 1s, fio: {}': /stages\[0\]\.warmup: fio stages have none/,
  'mix: read, error_policy: stop, fio: {}': /stages\[0\]\.error_policy: fio stages count errors/,
  'mix: read, threads: 64, iodepth: 32, fio: {}':
    /stages\[0\]\.threads: Concurrency too high \(limit: 1024\)/,
  'mix: read, drop_cache: true, fio: {}': /stages\[0\]\.drop_cache: a fio stage drops/,
  'mix: read, fio: { iodepth: 4 }':
    /stages\[0\]\.fio\.iodepth: is not set here: Muster's iodepth says it/,
  'mix: read, fio: { bs: 8k }':
    /stages\[0\]\.fio\.bs: is not set here: Muster's block_size says it/,
  'mix: read, fio: { iodepht_low: 4 }':
    /stages\[0\]\.fio\.iodepht_low: is not among the fio options .*; did you mean "iodepth_low"\?/,
  'mix: read, fio: { ioengine: exec }':
    /stages\[0\]\.fio\.ioengine: "exec" is not among the engines/,
  'mix: read, fio: { iodepth_low: [4] }':
    /stages\[0\]\.fio\.iodepth_low: must be text, a number, true or/,
};

for (const [stage, sentence] of Object.entries(rows)) {
  test(`[CONF-01] [ENG-02] refused with its place: ${stage}`, () => {
    const problems = problemsOf(config(stage));
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0] ?? '', sentence);
    assert.match(problems[0] ?? '', /^test\.yaml:\d+:\d+: /);
  });
}

test('[CONF-01] whoever writes what fio calls it is told what it is called here', () => {
  for (const [written, told] of [
    ['rw: randread', "fio's rw is mix and access here"],
    ['bs: 4k', "fio's bs is block_size here"],
    ['numjobs: 4', "fio's numjobs is threads here"],
    ['size: 1g', "fio's size is max_bytes and dataset.file_size here"],
    ['runtime: 60', "fio's runtime is duration here"],
    ['ioengine: libaio', "an option of fio's goes into a stage's fio: { ioengine: … }"],
  ] as const) {
    const [key = ''] = written.split(':');
    const [problem, ...others] = problemsOf(config(`mix: read, ${written}`));
    assert.ok(problem?.endsWith(`stages[0].${key}: unknown key; ${told}`), problem);
    assert.deepEqual(others, []);
  }
  // Keys of ours by the same name, in the wrong place.
  for (const key of ['direct', 'rate']) {
    assert.match(
      problemsOf(config('mix: read').replace('files: 8', `files: 8, ${key}: 1`))[0] ?? '',
      new RegExp(`dataset\\.${key}: unknown key; (?:did you mean|known here)`),
    );
  }
});

test('[CONF-01] what fio can say of a hotspot, of zipf and of a mix is not refused', () => {
  for (const access of ['{ hotspot: { data: 7%, operations: 29% } }', '{ zipf: 1.01 }']) {
    const text = config(`mix: { read: 99, write: 1 }, access: ${access}, fio: {}`);
    assert.deepEqual(problemsOf(text), [], access);
  }
});

test('[CONF-01] block sizes that differ among reads are for fio’s own options', () => {
  const text = config('mix: read, fio: {}').replace('4KiB', '{ uniform: [4KiB, 8KiB] }');
  assert.match(problemsOf(text)[0] ?? '', /block_size: fio stages have one size .* bssplit/);
});

test('[ENG-02] a fio stage needs files', () => {
  const problems = problemsOf(config('mix: read, fio: {}', "target: 'null:'"));
  assert.match(problems[0] ?? '', /fio: needs files, and the target null: has none/);
});

const idle = {
  'mix: read, noatime: true, fio: {}': 'noatime: has no effect: fio has no such option',
  'mix: read, iodepth: 4, fio: {}':
    "iodepth: has no effect: fio's psync does one operation at a time in each thread",
  'mix: read, direct: true, fio: { ioengine: mmap }':
    "direct: has no effect: fio's mmap reads and writes the page cache",
  'mix: write, fsync: end, fdatasync: true, fio: {}':
    'fdatasync: has no effect: at the end of a stage fio calls fsync',
};

for (const [stage, sentence] of Object.entries(idle)) {
  test(`[ENG-02] what fio takes and does not heed is said: ${stage}`, () => {
    const { warnings } = planOf(config(stage));
    assert.deepEqual(
      warnings.map((line) => line.replace(/^\S+ stages\[0\]\./, '')),
      [sentence],
    );
  });
}

test('[ENG-02] what fio does as it is told is not warned of', () => {
  const all = 'mix: write, iodepth: 4, direct: true, fsync: 4, fdatasync: true, sync: o_dsync';
  for (const engine of ['libaio', 'io_uring', 'posixaio']) {
    assert.deepEqual(planOf(config(`${all}, fio: { ioengine: ${engine} }`)).warnings, []);
  }
});
