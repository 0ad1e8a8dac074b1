import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blockTable } from '../../../../../src/agent/runner/choosing/block-space.js';
import { FileSizes } from '../../../../../src/agent/runner/choosing/file-sizes.js';
import { OperationStream } from '../../../../../src/agent/runner/choosing/operation-stream.js';
import type { StreamOptions } from '../../../../../src/agent/runner/choosing/operation-stream.js';
import { Random } from '../../../../../src/agent/runner/choosing/random.js';
import { sizeDraw } from '../../../../../src/agent/runner/choosing/size-draw.js';
import { emptyChurn } from '../../../../../src/agent/runner/churn-pool.js';
import type { Operation } from '../../../../../src/agent/engines/engine.js';
import { grainOf, largestSize, smallestSize } from '../../../../../src/shared/model/sizes.js';
import type { SizeSpec } from '../../../../../src/shared/model/sizes.js';

const KiB = 1024;

function drawn(spec: SizeSpec, count: number): readonly number[] {
  const draw = sizeDraw(spec);
  const random = new Random([7]);
  return Array.from({ length: count }, () => draw(random));
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
}

describe('sizes', () => {
  it('uniform: every multiple of the common divisor from min to max, evenly', () => {
    const sizes = drawn({ uniform: [8 * KiB, 64 * KiB] }, 80_000);
    const counts = new Map<number, number>();
    for (const size of sizes) counts.set(size, (counts.get(size) ?? 0) + 1);
    assert.deepEqual(
      [...counts.keys()].sort((a, b) => a - b),
      [8, 16, 24, 32, 40, 48, 56, 64].map((n) => n * KiB),
    );
    for (const count of counts.values()) assert.ok(Math.abs(count - 10_000) < 500, String(count));
  });

  it('lognormal: mean and standard deviation are those that were asked for', () => {
    const mean = 256 * KiB;
    const sd = 192 * KiB;
    const sizes = drawn({ lognormal: { mean, sd, min: 1, max: 2 ** 40 } }, 200_000);
    assert.ok(Math.abs(meanOf(sizes) / mean - 1) < 0.01, String(meanOf(sizes) / mean));
    assert.ok(Math.abs(deviationOf(sizes) / sd - 1) < 0.03, String(deviationOf(sizes) / sd));
    const logs = sizes.map(Math.log);
    const meanLog = meanOf(logs);
    const skew = meanOf(logs.map((log) => (log - meanLog) ** 3)) / deviationOf(logs) ** 3;
    assert.ok(Math.abs(skew) < 0.05, 'the logarithms are symmetric');
  });

  it('lognormal: stays within min and max without heaping up there, in multiples of their divisor', () => {
    // More than their divisor: a smaller multiple of it would show that `min` is not looked at.
    const bounds = { min: 192 * KiB, max: 512 * KiB };
    const sizes = drawn({ lognormal: { mean: 256 * KiB, sd: 400 * KiB, ...bounds } }, 50_000);
    assert.ok(sizes.every((size) => size >= bounds.min && size <= bounds.max));
    assert.ok(sizes.every((size) => size % (64 * KiB) === 0));
    const atMax = sizes.filter((size) => size === bounds.max).length;
    const below = sizes.filter((size) => size === bounds.max - 64 * KiB).length;
    assert.ok(atMax <= below, `${String(atMax)} at the bound, ${String(below)} just below`);
  });

  it('[CONF-03] lognormal: where next to nothing lies within the bounds, what lies outside is cut to them', () => {
    const bounds = { min: 60 * KiB, max: 68 * KiB };
    const lognormal = { mean: 64 * KiB, sd: 64_000 * KiB, ...bounds };
    const sizes = new Set(drawn({ lognormal }, 5000));
    assert.deepEqual([Math.min(...sizes), Math.max(...sizes)], [bounds.min, bounds.max]);
    assert.equal(smallestSize({ lognormal }), bounds.min);
    assert.equal(largestSize({ lognormal }), bounds.max);
  });

  it('weighted: by the weights', () => {
    const weighted = [
      { size: 4 * KiB, weight: 6 },
      { size: 64 * KiB, weight: 3 },
      { size: 1024 * KiB, weight: 1 },
    ];
    const sizes = drawn({ weighted }, 100_000);
    for (const { size, weight } of weighted) {
      const share = sizes.filter((other) => other === size).length / sizes.length;
      assert.ok(Math.abs(share - weight / 10) < 0.006, `${String(size)}: ${String(share)}`);
    }
    assert.equal(grainOf({ weighted }), 4 * KiB);
  });
});

describe('FileSizes', () => {
  const spec = { uniform: [1, 100_000] } as const;

  it('is a function of the dataset and the number of the file, and of nothing else', () => {
    const sizes = new FileSizes(spec, 'hash-a');
    const first = [5, 1, 1_000_000, 5].map((file) => sizes.of(file));
    assert.equal(first[0], first[3]);
    const again = new FileSizes(spec, 'hash-a');
    assert.deepEqual(
      first,
      [5, 1, 1_000_000, 5].map((file) => again.of(file)),
    );
    const other = new FileSizes(spec, 'hash-b');
    assert.notDeepEqual(
      first,
      [5, 1, 1_000_000, 5].map((file) => other.of(file)),
    );
    assert.notEqual(sizes.ofChurn(0, 5), sizes.ofChurn(1, 5));
  });

  it('neighbouring files are independent; parts add up to the whole', () => {
    const sizes = new FileSizes(spec, 'hash-a');
    const list = Array.from({ length: 20_000 }, (_, file) => sizes.of(file));
    assert.ok(Math.abs(meanOf(list) / 50_000 - 1) < 0.02);
    const mean = meanOf(list);
    const covariance = meanOf(
      list.slice(1).map((size, i) => (size - mean) * ((list[i] ?? 0) - mean)),
    );
    assert.ok(Math.abs(covariance / deviationOf(list) ** 2) < 0.03);
    const whole = sizes.sum(0, 20_000);
    assert.equal(
      whole,
      list.reduce((a, b) => a + b, 0),
    );
    assert.equal(sizes.sum(0, 7_001) + sizes.sum(7_001, 20_000), whole);
  });
});

function optionsOf(fields: Partial<StreamOptions>): StreamOptions {
  return {
    mix: [{ operation: 'read', weight: 1 }],
    access: 'random',
    files: { from: 0, to: 4 },
    fileSizeBytes: 64 * KiB,
    blockSizeBytes: 4 * KiB,
    datasetHash: 'd1',
    seed: 42,
    stage: 0,
    agent: 0,
    sharers: 1,
    worker: 0,
    workers: 1,
    churn: { files: emptyChurn, folders: emptyChurn },
    ...fields,
  };
}

function operations(options: StreamOptions, count: number): readonly Operation[] {
  const stream = new OperationStream(options);
  return Array.from({ length: count }, () => {
    const operation: Operation = {
      kind: 'stat',
      file: -1,
      offset: -1,
      bytes: -1,
      lane: -1,
      entry: -1,
      to: -1,
    };
    assert.ok(stream.next(operation) >= 0);
    return operation;
  });
}

/** As stage-workers makes it. */
function unevenOptions(
  sizes: FileSizes,
  spec: SizeSpec,
  files: number,
  grain: number,
): StreamOptions {
  const table = blockTable(files, (file) => Math.floor(sizes.of(file) / grain));
  return optionsOf({
    files: { from: 0, to: files },
    fileSizes: spec,
    fileSizeBytes: 64 * KiB,
    blockSizeBytes: grain,
    tables: new Map([[grain, table]]),
  });
}

describe('blocks of different sizes', () => {
  it('every read lies in its file, on a multiple of the divisor, and has one of the sizes', () => {
    const spec = {
      weighted: [
        { size: 4 * KiB, weight: 1 },
        { size: 12 * KiB, weight: 1 },
      ],
    };
    for (const access of ['random', 'sequential', { zipf: 1.1 }] as const) {
      const options = optionsOf({
        access,
        blockSizes: { read: spec, write: 4 * KiB },
        blockSizeBytes: 12 * KiB,
      });
      for (const { offset, bytes } of operations(options, 5_000)) {
        assert.equal(offset % (4 * KiB), 0);
        assert.ok(offset >= 0 && offset + bytes <= 64 * KiB);
        if (access !== 'sequential') assert.ok(bytes === 4 * KiB || bytes === 12 * KiB);
      }
    }
  });

  it('walks sequentially over every byte once, whatever the sizes', () => {
    const blockSizes = { read: { uniform: [4 * KiB, 20 * KiB] as const }, write: 4 * KiB };
    let at = 0;
    for (let worker = 0; worker < 3; worker++) {
      const options = optionsOf({
        access: 'sequential',
        blockSizes,
        blockSizeBytes: 20 * KiB,
        worker,
        workers: 3,
      });
      const first = at;
      for (const { file, offset, bytes } of operations(options, 200)) {
        const place = file * 64 * KiB + offset;
        if (place < at) {
          assert.equal(place, first, 'begins again at its own part');
          break;
        }
        assert.equal(place, at);
        at += bytes;
      }
    }
    assert.equal(at, 4 * 64 * KiB);
  });

  it('[CONF-03] hot places are hot, whatever the sizes', () => {
    const blockSizes = { read: { uniform: [4 * KiB, 8 * KiB] as const }, write: 4 * KiB };
    const access = { hotspot: { data: 0.25, operations: 0.9 } };
    const options = optionsOf({ access, blockSizes, blockSizeBytes: 8 * KiB });
    const counts = new Map<string, number>();
    for (const { file, offset } of operations(options, 20_000)) {
      const place = `${String(file)}:${String(offset)}`;
      counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    // Of the 4 × 16 places.
    const hot = [...counts.values()].toSorted((a, b) => b - a).slice(0, 16);
    const share = hot.reduce((a, b) => a + b, 0) / 20_000;
    assert.ok(Math.abs(share - 0.9) < 0.03, String(share));
  });

  it('reads and writes of a mix have sizes of their own', () => {
    const mix = [
      { operation: 'read', weight: 1 },
      { operation: 'write', weight: 1 },
    ] as const;
    const options = optionsOf({
      mix,
      blockSizes: { read: 4 * KiB, write: 16 * KiB },
      blockSizeBytes: 16 * KiB,
    });
    for (const { kind, bytes, offset } of operations(options, 1_000)) {
      assert.equal(bytes, kind === 'read' ? 4 * KiB : 16 * KiB);
      assert.equal(offset % bytes, 0);
    }
  });
});

describe('files of different sizes', () => {
  const spec = { uniform: [1, 64 * KiB] } as const;
  const sizes = new FileSizes(spec, 'd1');
  const files = 50;
  const block = 4 * KiB;

  it('every whole block of every file is drawn equally often, and no other', () => {
    const options = unevenOptions(sizes, spec, files, block);
    const counts = new Map<string, number>();
    const draws = 200_000;
    for (const { file, offset } of operations(options, draws)) {
      assert.ok(offset + block <= sizes.of(file));
      const place = `${String(file)}:${String(offset)}`;
      counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    const total = Array.from({ length: files }, (_, i) => Math.floor(sizes.of(i) / block)).reduce(
      (a, b) => a + b,
      0,
    );
    assert.equal(counts.size, total);
    const expected = draws / total;
    const chiSquare = [...counts.values()].reduce(
      (sum, n) => sum + (n - expected) ** 2 / expected,
      0,
    );
    assert.ok(chiSquare < total + 5 * Math.sqrt(2 * total), String(chiSquare));
  });

  it('sequential and shuffled pass over every whole block once', () => {
    const total = Array.from({ length: files }, (_, i) => Math.floor(sizes.of(i) / block)).reduce(
      (a, b) => a + b,
      0,
    );
    for (const access of ['sequential', 'shuffled'] as const) {
      const options = { ...unevenOptions(sizes, spec, files, block), access };
      const seen = operations(options, total).map(
        ({ file, offset }) => `${String(file)}:${String(offset)}`,
      );
      assert.equal(new Set(seen).size, total);
    }
  });

  it('[CONF-01] a block of several sizes is cut to a smaller file, and no file below their divisor is read', () => {
    const blockSizes = { read: { uniform: [block, 16 * block] as const }, write: block };
    for (const access of ['random', 'sequential'] as const) {
      const options = { ...unevenOptions(sizes, spec, files, block), access };
      let cut = 0;
      for (const { file, offset, bytes } of operations({ ...options, blockSizes }, 5_000)) {
        assert.ok(sizes.of(file) >= block);
        assert.ok(offset >= 0 && bytes > 0 && bytes % block === 0);
        assert.ok(offset + bytes <= sizes.of(file));
        if (offset === 0 && bytes === Math.floor(sizes.of(file) / block) * block) cut++;
      }
      assert.ok(cut > 100, access);
    }
  });

  it('get moves the file’s own size; put draws one for every file it makes', () => {
    const mix = [
      { operation: 'get', weight: 1 },
      { operation: 'put', weight: 1 },
    ] as const;
    const options = { ...unevenOptions(sizes, spec, files, block), mix };
    const puts = new Set<number>();
    for (const { kind, file, lane, entry, bytes } of operations(options, 400)) {
      if (kind === 'get') assert.equal(bytes, sizes.of(file));
      else {
        assert.equal(bytes, sizes.ofChurn(lane, entry));
        puts.add(bytes);
      }
    }
    assert.ok(puts.size > 100);
  });
});
