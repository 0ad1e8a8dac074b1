import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import v8 from 'node:v8';
import vm from 'node:vm';
import wabt from 'wabt';
import type { Operation } from '../../../../../src/agent/engines/engine.js';
import { blankOperation } from '../../../../../src/agent/runner/allowance.js';
import {
  BlockBatch,
  isBatched,
  spareBytesFor,
} from '../../../../../src/agent/runner/batch/block-batch.js';
import { blockBatchCode } from '../../../../../src/agent/runner/batch/block-batch-code.js';
import { alignedBuffer } from '../../../../../src/agent/runner/content/aligned-buffer.js';
import { ClockBase } from '../../../../../src/agent/runner/clock-base.js';
import { contentOf, perSecond, whileRunning } from '../../../../support/lane-load.js';
import type { StageJob } from '../../../../../src/agent/runner/jobs.js';
import type { StageAssignment } from '../../../../../src/shared/model/assignment.js';
import { assignmentOf, stageOf } from '../../../../support/runner-process.js';
import { temporaryFolder } from '../../../../support/temporary-folder.js';

const block = 4096;
const blocks = 16;

/** Each block of a file is filled with a byte of its own. */
function filesOf(t: TestContext, count: number): number[] {
  const folder = temporaryFolder();
  const descriptors = Array.from({ length: count }, (_, file) => {
    const at = path.join(folder.path, String(file));
    const content = Buffer.alloc(block * blocks);
    for (let i = 0; i < blocks; i++) content.fill(byteOf(file, i), i * block, (i + 1) * block);
    fs.writeFileSync(at, content);
    return fs.openSync(at, 'r');
  });
  t.after(() => {
    for (const descriptor of descriptors) fs.closeSync(descriptor);
    folder.remove();
  });
  return descriptors;
}

const byteOf = (file: number, at: number): number => (file * blocks + at + 1) & 0xff;

function readOf(file: number, at: number, bytes = block): Operation {
  return { ...blankOperation(), kind: 'read', file, offset: at * block, bytes };
}

function batchOver(
  descriptors: readonly number[],
  { firstFile = 0, sliceNs = 1e9, clock = new ClockBase() } = {},
): BlockBatch {
  const files = { kinds: new Set(['read'] as const), descriptors };
  const content = contentOf(block);
  const batch = BlockBatch.over({ files, firstFile, blockBytes: block, content, clock, sliceNs });
  assert.ok(batch);
  return batch;
}

describe('BlockBatch', () => {
  it('is what its source says', async () => {
    const at = path.join(process.cwd(), 'src/agent/runner/batch/block-batch.wat');
    const source = (await wabt()).parseWat(at, fs.readFileSync(at, 'utf8'));
    const assembled = Buffer.from(source.toBinary({}).buffer).toString('base64');
    assert.equal(blockBatchCode, assembled);
  });

  it('[ENG-03] reads from the files and the places that were chosen', (t) => {
    const firstFile = 100;
    const files = 7;
    const batch = batchOver(filesOf(t, files), { firstFile });
    for (let i = 0; i < batch.capacity; i++) {
      const file = i % files;
      const at = (i * 5) % blocks;
      batch.put(i, readOf(firstFile + file, at), 0);
      assert.equal(batch.run(i, i + 1, Infinity), i + 1);
      assert.equal(batch.moved(i), block);
      const read = batch.buffer.subarray(0, block);
      assert.ok(read.every((byte) => byte === byteOf(file, at)));
      const again = blankOperation();
      batch.take(i, again);
      assert.deepEqual(again, readOf(firstFile + file, at));
    }
  });

  it('[MEAS-01] says when each began and ended, ns after the clock base', (t) => {
    const clock = new ClockBase();
    const batch = batchOver(filesOf(t, 1), { clock });
    for (let i = 0; i < batch.capacity; i++) batch.put(i, readOf(0, i % blocks), 0);
    const beforeNs = clock.now();
    assert.equal(batch.run(0, batch.capacity, Infinity), batch.capacity);
    const afterNs = clock.now();
    let lastNs = batch.begunNs;
    assert.ok(beforeNs <= lastNs);
    for (let i = 0; i < batch.capacity; i++) {
      assert.ok(lastNs < batch.endedNs(i));
      lastNs = batch.endedNs(i);
    }
    assert.ok(lastNs <= afterNs);
  });

  it('reads beyond 4 GiB', (t) => {
    const folder = temporaryFolder();
    t.after(folder.remove);
    const at = path.join(folder.path, 'f');
    const offset = 5 * 2 ** 30;
    const descriptor = fs.openSync(at, 'w+');
    fs.writeSync(descriptor, Buffer.alloc(block, 7), 0, block, offset);
    const batch = batchOver([descriptor]);
    batch.put(0, { ...readOf(0, 0), offset }, 0);
    batch.run(0, 1, Infinity);
    assert.equal(batch.moved(0), block);
    assert.equal(batch.buffer[block - 1], 7);
    fs.closeSync(descriptor);
  });

  it('[ENG-01] writes what it is given, and reads beside it', (t) => {
    const [file = -1] = filesOf(t, 1);
    const descriptor = fs.openSync(`/proc/self/fd/${String(file)}`, 'r+');
    // 3 blocks of content: two may be chosen ahead.
    const bytes = alignedBuffer(3 * block, spareBytesFor(block));
    let taken = 0;
    const take = (): number => {
      const at = (taken++ % 3) * block;
      bytes.fill(100 + taken, at, at + block);
      return at;
    };
    const batch = BlockBatch.over({
      files: { kinds: new Set(['read', 'write']), descriptors: [descriptor] },
      firstFile: 0,
      blockBytes: block,
      content: { bytes, take },
      clock: new ClockBase(),
      sliceNs: 1e9,
    });
    assert.ok(batch);
    assert.equal(batch.capacity, 2);
    for (let i = 0; i < 8; i += 2) {
      batch.put(0, { ...readOf(0, i), kind: 'write' }, 1);
      batch.put(1, readOf(0, i + 1), 0);
      assert.equal(batch.run(0, 2, Infinity), 2);
      assert.deepEqual([batch.moved(0), batch.moved(1)], [block, block]);
      assert.deepEqual([batch.slot(0), batch.slot(1)], [1, 0]);
      assert.equal(batch.buffer[0], byteOf(0, i + 1));
      const again = blankOperation();
      batch.take(0, again);
      assert.deepEqual(again, { ...readOf(0, i), kind: 'write' });
    }
    const content = fs.readFileSync(`/proc/self/fd/${String(file)}`);
    for (let i = 0; i < blocks; i++) {
      const expected = i < 8 && i % 2 === 0 ? 101 + i / 2 : byteOf(0, i);
      const found = content.subarray(i * block, (i + 1) * block);
      assert.ok(found.every((byte) => byte === expected));
    }
    fs.closeSync(descriptor);
  });

  it('goes no further than a read that is short', (t) => {
    const batch = batchOver(filesOf(t, 1));
    batch.put(0, readOf(0, 0), 0);
    batch.put(1, { ...readOf(0, blocks), offset: block * blocks - 100 }, 0);
    batch.put(2, readOf(0, 1), 0);
    assert.equal(batch.run(0, 3, Infinity), 2);
    assert.equal(batch.moved(1), 100);
    assert.equal(batch.run(2, 3, Infinity), 3);
    assert.equal(batch.moved(2), block);
  });

  it('goes no further than a read that failed', (t) => {
    const files = filesOf(t, 1);
    const closed = fs.openSync(`/proc/self/fd/${String(files[0])}`, 'r');
    const batch = batchOver([...files, closed]);
    fs.closeSync(closed);
    batch.put(0, readOf(1, 0), 0);
    batch.put(1, readOf(0, 0), 0);
    assert.equal(batch.run(0, 2, Infinity), 1);
    // badf
    assert.equal(batch.moved(0), -8);
    assert.equal(batch.run(1, 2, Infinity), 2);
    assert.equal(batch.moved(1), block);
  });

  it('begins nothing at its deadline or after it', (t) => {
    const clock = new ClockBase();
    const batch = batchOver(filesOf(t, 1), { clock });
    batch.put(0, readOf(0, 0), 0);
    assert.equal(batch.run(0, 1, clock.now()), 0);
    assert.equal(batch.run(0, 1, clock.now() + 1e12), 1);
  });

  it('does one read where its slice is over after that', (t) => {
    const batch = batchOver(filesOf(t, 1), { sliceNs: 0 });
    for (let i = 0; i < 3; i++) batch.put(i, readOf(0, i), 0);
    for (let i = 0; i < 3; i++) assert.equal(batch.run(i, 3, Infinity), i + 1);
  });

  it('is not there for files that have no places, nor without memory of its own', (t) => {
    const [file = -1] = filesOf(t, 1);
    const over = (descriptors: readonly number[], content = contentOf(block)): unknown =>
      BlockBatch.over({
        files: { kinds: new Set(['read']), descriptors },
        firstFile: 0,
        blockBytes: block,
        content,
        clock: new ClockBase(),
        sliceNs: 1e6,
      });
    assert.ok(over([file]));
    assert.equal(over([]), undefined);
    const terminal = fs.openSync('/dev/ptmx', 'r');
    assert.equal(over([file, terminal]), undefined);
    fs.closeSync(terminal);
    assert.equal(over([file], { bytes: alignedBuffer(block), take: () => 0 }), undefined);
  });

  it('[PERF-02] is for one operation at a time in closed loop, on few files, of no large blocks, and nothing to verify', () => {
    const isFor = (
      stage: Partial<StageAssignment> = {},
      { files = 48, verify = false, openFiles = 48, blockBytes = 64 * 1024 * 1024 } = {},
    ): boolean => {
      const use = { from: 10, to: 10 + files };
      const { dataset } = assignmentOf('/unused', [], { dataset: { use, verify } });
      const job = { stage: stageOf(stage), dataset, openFiles } as StageJob;
      return isBatched(job, blockBytes);
    };
    assert.equal(isFor(), true);
    assert.equal(isFor({ iodepth: 2 }), false);
    assert.equal(isFor({ rate: perSecond(100) }), false);
    assert.equal(isFor({ thinkTimeNs: 1 }), false);
    assert.equal(isFor({}, { verify: true }), false);
    assert.equal(isFor({}, { openFiles: 47 }), false);
    assert.equal(isFor({}, { files: 49, openFiles: 49 }), false);
    assert.equal(isFor({}, { blockBytes: 64 * 1024 * 1024 + 1 }), false);
  });

  it('leaves its files open when it is gone', async (t) => {
    const files = filesOf(t, 3);
    v8.setFlagsFromString('--expose-gc');
    const collect = vm.runInNewContext('gc') as () => void;
    let gone = 0;
    const registry = new FinalizationRegistry(() => gone++);
    for (let i = 0; i < 20; i++) registry.register(batchOver(files), i);
    await whileRunning(() => {
      collect();
      return gone >= 10;
    });
    for (const file of files) assert.equal(fs.fstatSync(file).size, block * blocks);
  });
});
