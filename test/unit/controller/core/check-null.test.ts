import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf } from '../../../support/example-plan.js';

/** What is said about a config whose agents have these targets, without its place. */
function warnings(stage: string, targets: readonly string[], dataset = ''): readonly string[] {
  const config = `
agents: [${targets.map((target, i) => `{ address: h${String(i)}, target: '${target}' }`).join(', ')}]
failure_policy: any
dataset: { files: 8, file_size: 1MiB${dataset} }
stages:
  - { name: s, block_size: 4KiB, duration: 1s, ${stage} }
`;
  return planOf(config).warnings.map((line) => line.replace(/^\S+ /, ''));
}

const keys = {
  direct: 'direct: true',
  noatime: 'noatime: true',
  sync: 'sync: o_dsync',
  fsync: 'fsync: 4',
  drop_cache: 'drop_cache: true',
};

for (const [key, text] of Object.entries(keys)) {
  test(`[ENG-02] ${key} is said to have no effect on null:, where there are no files`, () => {
    const stage = `mix: { read: 1, write: 1 }, ${text}`;
    const said = `stages[0].${key}: has no effect on null:`;
    assert.deepEqual(warnings(stage, ['null:', 'null:']), [said]);
    assert.deepEqual(warnings(stage, ['null:', '/mnt/a', '/mnt/b']), [
      `${said}, the target of 1 of 3 agents`,
    ]);
    assert.deepEqual(warnings(stage, ['/mnt/a', '/mnt/b']), []);
  });
}

test('[ENG-02] on null: each key is named once, whatever else could be said of it', () => {
  const stage =
    'mix: stat, direct: true, noatime: true, sync: o_sync, fsync: never, fdatasync: true, drop_cache: true';
  const named = ['direct', 'noatime', 'sync', 'fdatasync', 'drop_cache'];
  assert.deepEqual(
    warnings(stage, ['null:']),
    named.map((key) => `stages[0].${key}: has no effect on null:`),
  );
});

const ofDataset = {
  content: 'content: zero',
  directories: 'directories: { width: 2, depth: 1 }',
  keep: 'keep: true',
  prepare: 'prepare: { block_size: 4MiB }',
};

for (const [key, text] of Object.entries(ofDataset)) {
  test(`[ENG-02] dataset.${key} is said to have no effect on null:, where no files are made`, () => {
    const all = (target: string) => warnings('mix: read', [target], `, ${text}`);
    assert.deepEqual(all('null:'), [`dataset.${key}: has no effect on null:`]);
    assert.deepEqual(all('/mnt/a'), []);
  });
}

test('a plain plan on null: has nothing to warn of', () => {
  assert.deepEqual(warnings('mix: { read: 1, put: 1 }, iodepth: 4', ['null:']), []);
});
