import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { runFilesJob } from '../../../../src/agent/runner/files-job.js';
import type { FilesJob } from '../../../../src/agent/runner/jobs.js';
import { filesThreads } from '../../../../src/agent/runner/prepare-dataset.js';
import { RunControl } from '../../../../src/agent/runner/shared-memory.js';
import { assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

type Dataset = FilesJob['dataset'];

/** Carries out one job in a folder of its own, and gives back the flags of each open and the length of each write. */
function carryOut(
  t: TestContext,
  kind: FilesJob['kind'],
  dataset: Partial<Dataset>,
  arrange = (): void => undefined,
) {
  const folder = temporaryFolder();
  process.chdir(folder.path);
  t.after(() => {
    process.chdir('/');
    folder.remove();
  });
  arrange();
  const flags: number[] = [];
  const lengths: number[] = [];
  const { openSync, writeSync } = fs;
  t.mock.method(fs, 'openSync', (...args: Parameters<typeof openSync>) => {
    flags.push(Number(args[1]));
    return openSync(...args);
  });
  t.mock.method(fs, 'writeSync', (...args: unknown[]) => {
    lengths.push(Number(args[3]));
    return (writeSync as (...all: unknown[]) => number)(...args);
  });
  runFilesJob(
    {
      kind,
      dataset: { ...assignmentOf('/', []).dataset, own: { from: 0, to: 2 }, ...dataset },
      listed: [],
      filesPerChunk: 2,
      salt: 0,
      worker: 0,
      workers: 1,
      owner: 1,
      refusesHoles: false,
      control: new RunControl().buffer,
      progress: new SharedArrayBuffer(24),
    },
    () => undefined,
  );
  t.mock.restoreAll();
  const sizes = [0, 1].map((i) => fs.statSync(`data/f${String(i)}`).size);
  return { flags, lengths, sizes };
}

const tuning = { threads: undefined, blockSizeBytes: 1024 ** 2, direct: false };

test('files are made in writes of the block size of prepare, the last one shorter', (t) => {
  const prepare = { ...tuning, blockSizeBytes: 4096 };
  const { lengths, sizes } = carryOut(t, 'make', { fileSizeBytes: 10_000, prepare });
  assert.deepEqual(lengths, [4096, 4096, 1808, 4096, 4096, 1808]);
  assert.deepEqual(sizes, [10_000, 10_000]);
});

test('files are made with O_DIRECT only when prepare says so', (t) => {
  const { O_DIRECT } = fs.constants;
  const plain = carryOut(t, 'make', { fileSizeBytes: 8192, prepare: tuning });
  assert.ok(plain.flags.every((flags) => (flags & O_DIRECT) === 0));
  const direct = carryOut(t, 'make', { fileSizeBytes: 8192, prepare: { ...tuning, direct: true } });
  assert.ok(direct.flags.every((flags) => (flags & O_DIRECT) !== 0));
  assert.deepEqual(direct.sizes, [8192, 8192]);
});

test('files that a stage will write are created empty', (t) => {
  const { lengths, sizes } = carryOut(t, 'create', { prepare: 'none' });
  assert.deepEqual([lengths, sizes], [[], [0, 0]]);
});

test('[SAFE-02] a link in the place of a file is not written through', (t) => {
  const link = (): void => {
    fs.mkdirSync('data');
    fs.writeFileSync('precious', 'mine');
    fs.symlinkSync('../precious', 'data/f0');
  };
  for (const kind of ['make', 'create'] as const) {
    assert.throws(
      () => carryOut(t, kind, { fileSizeBytes: 8192, prepare: tuning }, link),
      /^RunnerFailure: .*cannot create data\/f0 .*\(EEXIST\)/u,
    );
    assert.equal(fs.readFileSync('precious', 'utf8'), 'mine');
    t.mock.restoreAll();
  }
});

test('[SAFE-02] no file is made or removed through a link that took the place of its folder', (t) => {
  const link = (): void => {
    fs.mkdirSync('elsewhere');
    fs.writeFileSync('elsewhere/f0', 'mine');
    fs.symlinkSync('elsewhere', 'data');
  };
  for (const kind of ['make', 'create'] as const) {
    assert.throws(
      () => carryOut(t, kind, { fileSizeBytes: 8192, prepare: tuning }, link),
      /^RunnerFailure: .*data of dataset "ds1" is a link, or was removed$/u,
    );
    assert.equal(fs.readFileSync('elsewhere/f0', 'utf8'), 'mine');
    assert.deepEqual(fs.readdirSync('elsewhere'), ['f0']);
    t.mock.restoreAll();
  }
  const { sizes } = carryOut(t, 'remove', {}, () => {
    link();
    fs.writeFileSync('elsewhere/f1', 'mine');
  });
  assert.deepEqual(sizes, [4, 4]);
});

test('prepare has the threads that it was given, else at most 32 and as many as the dataset is worth', () => {
  const threads = (prepare: Dataset['prepare'], files = 10_000, fileSizeBytes = 4096): number => {
    const own = { from: 0, to: files };
    const dataset = { prepare, own, use: own, fileSizeBytes };
    return filesThreads(assignmentOf('/', [stageOf({ threads: 200 })], { dataset }));
  };
  assert.equal(threads({ ...tuning, threads: 3 }), 3);
  assert.equal(threads({ ...tuning, threads: 100 }), 100);
  assert.equal(threads(tuning), 32);
  assert.equal(threads('none'), 32);
  assert.equal(threads(tuning, 4), 1);
  assert.equal(threads(tuning, 17), 2);
  assert.equal(threads(tuning, 1, 2 ** 30), 16);
});
