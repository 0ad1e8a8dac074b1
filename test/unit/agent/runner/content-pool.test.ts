import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import zlib from 'node:zlib';
import { ContentPool, poolFor } from '../../../../src/agent/runner/content/content-pool.js';
import type { Content } from '../../../../src/shared/model/plan.js';
import type { Operation } from '../../../../src/agent/engines/engine.js';

const operation: Operation = {
  kind: 'write',
  file: 0,
  offset: 0,
  bytes: 0,
  lane: 0,
  entry: 0,
  to: 0,
};
const MiB = 1024 ** 2;
const keys = [1, 2, 3];

/** What `count` writes of `length` bytes carry. */
function written(pool: ContentPool, count: number, length: number): Buffer {
  const parts = Array.from({ length: count }, () => {
    const at = pool.take(operation, pool.bytes, length);
    assert.equal(at % 4096, 0);
    return Buffer.from(pool.bytes.subarray(at, at + length));
  });
  return Buffer.concat(parts);
}

/** How often each block of 4 KiB is there. */
function blocksOf(data: Buffer): ReadonlyMap<string, number> {
  const seen = new Map<string, number>();
  for (let at = 0; at + 4096 <= data.length; at += 4096) {
    const block = createHash('sha256')
      .update(data.subarray(at, at + 4096))
      .digest('base64');
    seen.set(block, (seen.get(block) ?? 0) + 1);
  }
  return seen;
}

function differentBlocks(data: Buffer): number {
  return blocksOf(data).size;
}

const hasZstd = (() => {
  try {
    execFileSync('zstd', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

function near(found: number, wanted: number, share: number, what: string): void {
  assert.ok(
    Math.abs(found / wanted - 1) <= share,
    `${what}: ${String(found)} instead of ${String(wanted)}`,
  );
}

describe('content', () => {
  for (const compress of [1, 1.3, 1.5, 2, 3, 4, 10]) {
    const data = written(new ContentPool({ compress, dedup: 1 }, 16 * MiB, keys), 16, MiB);

    it(`compress: ${String(compress)} is what gzip makes of it, within 5 %`, () => {
      near(data.length / zlib.gzipSync(data).length, compress, 0.05, 'gzip');
    });

    it(
      `compress: ${String(compress)} is what zstd makes of it, within 5 %`,
      { skip: !hasZstd && 'zstd is not there' },
      () => {
        const packed = execFileSync('zstd', ['-3', '-c', '-q'], {
          input: data,
          maxBuffer: 64 * MiB,
        });
        near(data.length / packed.length, compress, 0.05, 'zstd');
      },
    );
  }

  it('compress holds block by block, as storage compresses', () => {
    const data = written(new ContentPool({ compress: 2, dedup: 1 }, 4 * MiB, keys), 64, 32 * 1024);
    let packed = 0;
    for (let at = 0; at < data.length; at += 32 * 1024) {
      packed += zlib.deflateRawSync(data.subarray(at, at + 32 * 1024), { level: 1 }).length;
    }
    near(data.length / packed, 2, 0.05, 'deflate of 32 KiB');
  });

  for (const dedup of [1, 1.5, 2, 5]) {
    for (const [rounds, name] of [
      [1, 'before the pool has come round'],
      [5, 'after it has come round'],
    ] as const) {
      it(`dedup: ${String(dedup)} is the share of different blocks, within 5 %, ${name}`, () => {
        const data = written(
          new ContentPool({ compress: 2, dedup }, 8 * MiB, keys),
          rounds * 32,
          MiB / 4,
        );
        near(data.length / 4096 / differentBlocks(data), dedup, 0.05, 'dedup');
      });
    }
  }

  it('dedup: no block makes up much of the data, and repeats are too far apart for compressors', () => {
    const pool = new ContentPool({ compress: 1, dedup: 4 }, 64 * MiB, keys);
    const data = written(pool, 64, MiB);
    const most = Math.max(...blocksOf(data).values());
    // About 3 copies for every new block, of each that was there: 3 × (1 + 1/2 + … + 1/4096) of the first one.
    assert.ok(most < 60, `one block ${String(most)} times`);
    let packed = 0;
    for (let at = 32 * MiB; at < data.length; at += MiB) {
      packed += zlib.gzipSync(data.subarray(at, at + MiB), { level: 1 }).length;
    }
    near((32 * MiB) / packed, 1, 0.05, 'gzip of 1 MiB');
  });

  it('random: no block is like another, however often the pool comes round, and nothing compresses', () => {
    const data = written(new ContentPool('random', MiB, keys), 40, 64 * 1024 * 3);
    assert.equal(differentBlocks(data), data.length / 4096);
    assert.ok(zlib.gzipSync(data).length > data.length * 0.99);
  });

  it('other runs, agents and workers write other data', () => {
    const blocks = [keys, [9, 2, 3], [1, 9, 3], [1, 2, 9]].map((of) =>
      written(new ContentPool('random', MiB, of), 4, MiB),
    );
    assert.equal(differentBlocks(Buffer.concat(blocks)), 4 * 4 * 256);
  });

  it('zero: stays zero', () => {
    assert.ok(written(new ContentPool('zero', 8192, keys), 10, 4096).every((byte) => byte === 0));
  });

  it('small blocks stay different, too', () => {
    const data = written(new ContentPool('random', 16_384, keys), 40, 512);
    const seen = new Set<string>();
    for (let at = 0; at < data.length; at += 512) seen.add(data.toString('base64', at, at + 512));
    assert.equal(seen.size, 40);
  });

  it('the pool of all workers together is 64 MiB for data that compressors look at, and fits the largest block', () => {
    const content: Content = { compress: 2, dedup: 1 };
    const use = { leastBytes: 4096, totalBytes: undefined };
    assert.equal(poolFor(content, { ...use, workers: 4 }, keys).bytes.length, 16 * MiB);
    assert.equal(poolFor('random', { ...use, workers: 1 }, keys).bytes.length, MiB);
    assert.equal(poolFor('random', { ...use, workers: 128 }, keys).bytes.length, MiB / 2);
    assert.equal(
      poolFor('zero', { ...use, leastBytes: 8 * MiB, workers: 2 }, keys).bytes.length,
      8 * MiB,
    );
    assert.equal(
      poolFor('random', { ...use, totalBytes: 40_000, workers: 1 }, keys).bytes.length,
      40_960,
    );
  });
});
