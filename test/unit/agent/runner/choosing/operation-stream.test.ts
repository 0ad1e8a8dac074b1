import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Operation } from '../../../../../src/agent/engines/engine.js';
import { emptyChurn } from '../../../../../src/agent/runner/churn-pool.js';
import { OperationStream } from '../../../../../src/agent/runner/choosing/operation-stream.js';
import type { StreamOptions } from '../../../../../src/agent/runner/choosing/operation-stream.js';

function optionsOf(fields: Partial<StreamOptions> = {}): StreamOptions {
  return {
    mix: [{ operation: 'read', weight: 1 }],
    access: 'random',
    files: { from: 10, to: 14 },
    fileSizeBytes: 64 * 4096,
    blockSizeBytes: 4096,
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

function blank(): Operation {
  return { kind: 'stat', file: -1, offset: -1, bytes: -1, lane: -1, to: 0, entry: -1 };
}

/** The first `count` operations; all end well. */
function draw(options: StreamOptions, count: number): readonly Operation[] {
  const stream = new OperationStream(options);
  const drawn: Operation[] = [];
  while (drawn.length < count) {
    const operation = blank();
    if (stream.next(operation) < 0) break;
    stream.settle(operation, true);
    drawn.push(operation);
  }
  return drawn;
}

const everything = (
  ['read', 'write', 'get', 'put', 'stat', 'list', 'delete', 'mkdir', 'rmdir', 'rename'] as const
).map((operation, i) => ({ operation, weight: i + 1 }));

describe('OperationStream', () => {
  it('[MEAS-02] gives the same operations for the same seed, stage, agent and worker', () => {
    const options = optionsOf({ mix: everything });
    assert.deepEqual(draw(options, 5000), draw(options, 5000));
  });

  it('[MEAS-02] gives other operations when any of seed, stage, agent or worker differs', () => {
    const base = draw(optionsOf(), 50);
    for (const other of [{ seed: 43 }, { stage: 1 }, { agent: 1 }, { worker: 1 }]) {
      assert.notDeepEqual(draw(optionsOf(other), 50), base, JSON.stringify(other));
    }
    assert.notDeepEqual(draw(optionsOf({ stage: 1 }), 50), draw(optionsOf({ agent: 1 }), 50));
  });

  it('draws kinds by their weights', () => {
    const mix = [
      { operation: 'read', weight: 70 },
      { operation: 'write', weight: 20 },
      { operation: 'stat', weight: 10 },
    ] as const;
    const drawn = draw(optionsOf({ mix }), 100_000);
    for (const { operation, weight } of mix) {
      const part = drawn.filter(({ kind }) => kind === operation).length / drawn.length;
      assert.ok(Math.abs(part - weight / 100) < 0.006, `${operation} ${String(part)}`);
    }
  });

  it('spreads random blocks evenly over all files and offsets', () => {
    const blocks = 4 * 64;
    const counts = new Map<string, number>();
    const draws = 256_000;
    for (const { file, offset, bytes } of draw(optionsOf(), draws)) {
      assert.equal(bytes, 4096);
      const key = `${String(file)}:${String(offset)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    assert.equal(counts.size, blocks);
    const expected = draws / blocks;
    const chiSquare = [...counts.values()].reduce(
      (sum, n) => sum + (n - expected) ** 2 / expected,
      0,
    );
    // 255 degrees of freedom: mean 255, standard deviation 22.6.
    assert.ok(chiSquare < 255 + 5 * 22.6, `chi square ${String(chiSquare)}`);
  });

  it('reaches the far end of a dataset larger than 32 bits of blocks', () => {
    const files = { from: 0, to: 2 };
    const drawn = draw(optionsOf({ files, fileSizeBytes: 2 ** 49 }), 2000);
    const offsets = drawn.map(({ offset }) => offset);
    assert.ok(Math.max(...offsets) > 2 ** 49 * 0.99);
    assert.ok(offsets.every((offset) => offset % 4096 === 0 && offset < 2 ** 49));
    assert.ok(new Set(offsets.map((offset) => (offset / 4096) % 2)).size === 2);
  });

  it('walks sequentially: all workers of all agents pass exactly once over every block', () => {
    for (const [sharers, workers] of [
      [1, 1],
      [1, 3],
      [2, 3],
      [5, 4],
    ] as const) {
      const seen: string[] = [];
      for (let agent = 0; agent < sharers; agent++) {
        for (let worker = 0; worker < workers; worker++) {
          const options = optionsOf({ access: 'sequential', agent, sharers, worker, workers });
          const stream = new OperationStream(options);
          const operation = blank();
          stream.next(operation);
          const first = `${String(operation.file)}:${String(operation.offset)}`;
          let here = first;
          do {
            seen.push(here);
            stream.next(operation);
            here = `${String(operation.file)}:${String(operation.offset)}`;
          } while (here !== first);
        }
      }
      assert.equal(seen.length, 256);
      assert.equal(new Set(seen).size, 256);
    }
  });

  it('[CONF-03] chooses files for get, stat and list in the order that access says', () => {
    const files = { from: 10, to: 110 };
    for (const operation of ['get', 'stat', 'list'] as const) {
      const filesBy = (access: StreamOptions['access'], count: number): readonly number[] =>
        draw(optionsOf({ mix: [{ operation, weight: 1 }], files, access }), count).map(
          ({ file }) => file,
        );
      const inOrder = Array.from({ length: 100 }, (_, i) => 10 + i);
      assert.deepEqual(filesBy('sequential', 100), inOrder);
      const shuffled = filesBy('shuffled', 100);
      assert.notDeepEqual(shuffled, inOrder);
      assert.deepEqual(
        shuffled.toSorted((a, b) => a - b),
        inOrder,
      );
      const drawn = filesBy({ hotspot: { data: 0.1, operations: 0.8 } }, 10_000);
      const counts = new Map<number, number>();
      for (const file of drawn) counts.set(file, (counts.get(file) ?? 0) + 1);
      const hot = [...counts.values()].toSorted((a, b) => b - a).slice(0, 10);
      const share = hot.reduce((a, b) => a + b, 0) / drawn.length;
      assert.ok(Math.abs(share - 0.8) < 0.03, `${operation} ${String(share)}`);
    }
  });

  it('walks on from block to block and from file to file', () => {
    const drawn = draw(optionsOf({ access: 'sequential', fileSizeBytes: 2 * 4096 + 100 }), 9);
    assert.deepEqual(
      drawn.map(({ file, offset }) => [file, offset]),
      [10, 11, 12, 13]
        .flatMap((file) => [
          [file, 0],
          [file, 4096],
        ])
        .concat([[10, 0]]),
    );
  });

  it('removes only what was made, oldest first, and never the same twice', () => {
    const mix = [
      { operation: 'put', weight: 1 },
      { operation: 'delete', weight: 1 },
    ] as const;
    const alive: number[] = [];
    for (const { kind, entry, lane } of draw(optionsOf({ mix, worker: 3 }), 10_000)) {
      assert.equal(lane, 3);
      if (kind === 'put') alive.push(entry);
      else assert.equal(entry, alive.shift());
    }
  });

  it('does something else while there is nothing to remove, and ends when there is nothing else', () => {
    const onlyDelete = [{ operation: 'delete', weight: 1 }] as const;
    assert.equal(draw(optionsOf({ mix: onlyDelete }), 10).length, 0);
    const mix = [...onlyDelete, { operation: 'read', weight: 1 }] as const;
    assert.ok(draw(optionsOf({ mix }), 100).every(({ kind }) => kind === 'read'));
    const churn = {
      files: { next: 7, entries: Float64Array.of(2 * 2 ** 32 + 5, 6) },
      folders: emptyChurn,
    };
    const drawn = draw(optionsOf({ mix: onlyDelete, churn }), 10);
    assert.deepEqual(
      drawn.map(({ lane, entry }) => [lane, entry]),
      [
        [2, 5],
        [0, 6],
      ],
    );
  });

  it('renames the oldest to a name never used before, and removes it under that name', () => {
    const mix = [
      { operation: 'put', weight: 2 },
      { operation: 'delete', weight: 1 },
      { operation: 'rename', weight: 1 },
    ] as const;
    const alive: number[] = [];
    const used = new Set<number>();
    let renamed = 0;
    for (const { kind, entry, to } of draw(optionsOf({ mix }), 10_000)) {
      if (kind !== 'put') assert.equal(entry, alive.shift());
      if (kind === 'delete') continue;
      const name = kind === 'put' ? entry : to;
      if (kind === 'rename') renamed++;
      assert.ok(!used.has(name), 'nothing is ever replaced');
      used.add(name);
      alive.push(name);
    }
    assert.ok(renamed > 2000);
  });

  it('does not offer for removal what could not be made', () => {
    const mix = [
      { operation: 'put', weight: 1 },
      { operation: 'delete', weight: 1 },
    ] as const;
    const stream = new OperationStream(optionsOf({ mix }));
    const operation = blank();
    for (let i = 0; i < 100; i++) {
      assert.ok(stream.next(operation) >= 0);
      assert.equal(operation.kind, 'put');
      assert.equal(operation.entry, i);
      stream.settle(operation, false);
    }
  });
});
