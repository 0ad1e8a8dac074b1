import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FileSizes } from '../../../../src/agent/runner/choosing/file-sizes.js';
import type { OperationKind } from '../../../../src/shared/model/operation.js';
import type { StageResult } from '../../../../src/shared/model/messages.js';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { filesBelow, temporaryFolder } from '../../../support/temporary-folder.js';

const KiB = 1024;
const fileSizes = { lognormal: { mean: 24 * KiB, sd: 16 * KiB, min: 1, max: 64 * KiB } } as const;
const dataset = {
  fileSizes,
  fileSizeBytes: 64 * KiB,
  own: { from: 0, to: 40 },
  use: { from: 0, to: 40 },
};
const sizes = new FileSizes(fileSizes, 'a1b2c3');

const countless = { durationMs: undefined, threads: 2 };

function statsOf(result: StageResult | undefined, kind: OperationKind) {
  const stats = result?.operations.find(({ operation }) => operation === kind);
  assert.ok(stats, kind);
  return stats;
}

describe('runner with sizes that differ', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  const runners: RunnerProcess[] = [];

  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(async () => {
    await Promise.all(runners.splice(0).map((runner) => runner.kill()));
    folder.remove();
  });

  function runner(): RunnerProcess {
    const one = new RunnerProcess();
    runners.push(one);
    return one;
  }

  const own = (...parts: readonly string[]): string => path.join(folder.path, 'ds1', '0', ...parts);

  it('[MEAS-02] makes files of the sizes that the dataset gives them, and knows them again', async () => {
    const one = runner();
    one.prepare(assignmentOf(folder.path, [], { mode: 'prepare', dataset }));
    await one.event('prepared');
    for (let file = 0; file < 40; file++) {
      assert.equal(fs.statSync(own('data', `f${String(file)}`)).size, sizes.of(file));
    }
    const last = one.all('progress').at(-1);
    assert.equal(last?.bytesDone, sizes.sum(0, 40));
    assert.equal(last.bytesTotal, sizes.sum(0, 40));

    const again = runner();
    again.prepare(
      assignmentOf(folder.path, [], {
        mode: 'prepare',
        dataset: { ...dataset, skipPrepare: true },
      }),
    );
    await again.event('prepared');
    fs.truncateSync(own('data', 'f7'), sizes.of(7) - 1);
    const third = runner();
    third.prepare(
      assignmentOf(folder.path, [], {
        mode: 'prepare',
        dataset: { ...dataset, skipPrepare: true },
      }),
    );
    assert.match((await third.failure()).message, /f7 is missing or has another size/);
  });

  it('get and put move whole files, and the bytes counted are those of the files', async () => {
    const mix = [
      { operation: 'get', weight: 1 },
      { operation: 'put', weight: 1 },
    ] as const;
    const stages = [
      stageOf({ ...countless, threads: 1, mix: [mix[0]], access: 'shuffled', maxOperations: 40 }),
      stageOf({ ...countless, mix, maxOperations: 100 }),
    ];
    const [gets, both] = await runner().run(assignmentOf(folder.path, stages, { dataset }));
    assert.equal(statsOf(gets, 'get').count, 40);
    assert.equal(statsOf(gets, 'get').bytes, sizes.sum(0, 40), 'every file once');
    assert.deepEqual(statsOf(both, 'get').errors, []);
    const made = filesBelow(own('churn')).map((name) => fs.statSync(own('churn', name)).size);
    assert.equal(made.length, statsOf(both, 'put').count);
    assert.equal(
      statsOf(both, 'put').bytes,
      made.reduce((a, b) => a + b, 0),
    );
    assert.ok(new Set(made).size > 10);
  });

  it('[CONF-03] reads whole blocks of files of any size, wherever they lie, without one error', async () => {
    const stages = [
      stageOf({ ...countless, access: 'random', maxOperations: 2000 }),
      stageOf({ ...countless, access: 'sequential', maxOperations: 500, dropCache: true }),
    ];
    const directories = { width: 3, depth: 2 };
    const results = await runner().run(
      assignmentOf(folder.path, stages, { dataset: { ...dataset, directories } }),
    );
    for (const result of results) {
      const { count, bytes, errors } = statsOf(result, 'read');
      assert.deepEqual(errors, []);
      assert.equal(bytes, count * 4096);
    }
    assert.match(results[1]?.mechanism ?? '', /; 40 of 40 files dropped from the page cache/);
  });

  it('reads blocks of several sizes of files of any size; one that a file has no room for is cut', async () => {
    const bounds = { ...fileSizes.lognormal, min: 4 * KiB };
    const blockSizes = { read: { uniform: [4 * KiB, 16 * KiB] as const }, write: 4 * KiB };
    const stage = stageOf({ ...countless, blockSizes, blockSizeBytes: 16 * KiB });
    const [result] = await runner().run(
      assignmentOf(folder.path, [{ ...stage, maxOperations: 2000 }], {
        dataset: { ...dataset, fileSizes: { lognormal: bounds } },
      }),
    );
    const { count, bytes, errors } = statsOf(result, 'read');
    assert.deepEqual(errors, []);
    assert.equal(count, 2000);
    const mean = bytes / count;
    assert.ok(mean > 6 * KiB && mean <= 10.5 * KiB, String(mean));
  });

  it('reads and writes blocks of a list and of a range, and counts the bytes that were moved', async () => {
    const list = {
      weighted: [
        { size: 4 * KiB, weight: 3 },
        { size: 16 * KiB, weight: 1 },
      ],
    };
    const range = { uniform: [8 * KiB, 32 * KiB] as const };
    const mix = [
      { operation: 'read', weight: 1 },
      { operation: 'write', weight: 1 },
    ] as const;
    const both = [
      { read: list, write: range },
      { read: range, write: list },
    ];
    const stages = both.map((blockSizes, index) =>
      stageOf({
        ...countless,
        index,
        mix,
        blockSizes,
        blockSizeBytes: 32 * KiB,
        maxOperations: 4000,
      }),
    );
    const one = runner();
    const results = await one.run(assignmentOf(folder.path, stages));
    for (const [stage, result] of results.entries()) {
      const [read, write] = [statsOf(result, 'read'), statsOf(result, 'write')];
      assert.deepEqual([...read.errors, ...write.errors], []);
      const [fromList, fromRange] = stage === 0 ? [read, write] : [write, read];
      const mean = fromList.bytes / fromList.count;
      assert.ok(Math.abs(mean / (7 * KiB) - 1) < 0.08, String(mean));
      const middle = fromRange.bytes / fromRange.count;
      assert.ok(Math.abs(middle / (20 * KiB) - 1) < 0.06, String(middle));
      const last = one.all('interval').findLast((interval) => interval.stage === stage);
      assert.deepEqual(
        last?.operations.map(({ bytes }) => bytes),
        [read.bytes, write.bytes],
      );
    }
  });

  it('[RUN-23] max_bytes is never exceeded, and missed by less than an operation of each thread', async () => {
    const blockSizes = { read: { uniform: [4 * KiB, 32 * KiB] as const }, write: 4 * KiB };
    const maxBytes = 8 * 1024 * KiB;
    const stage = stageOf({
      ...countless,
      threads: 3,
      blockSizes,
      blockSizeBytes: 32 * KiB,
      maxBytes,
    });
    const [result] = await runner().run(assignmentOf(folder.path, [stage]));
    const { bytes } = statsOf(result, 'read');
    assert.equal(result?.endedBy, 'bytes');
    assert.ok(bytes <= maxBytes && bytes > maxBytes - 3 * 32 * KiB, String(bytes));
  });
});
