import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import type { BlockingEngine } from '../../../../../src/agent/engines/engine.js';
import { Allowance, blankOperation } from '../../../../../src/agent/runner/allowance.js';
import type { Budget } from '../../../../../src/agent/runner/allowance.js';
import { BatchedLane } from '../../../../../src/agent/runner/batch/batched-lane.js';
import { BlockBatch } from '../../../../../src/agent/runner/batch/block-batch.js';
import { OperationStream } from '../../../../../src/agent/runner/choosing/operation-stream.js';
import { ClockBase } from '../../../../../src/agent/runner/clock-base.js';
import { noErrorRules } from '../../../../../src/agent/runner/error-rules.js';
import type { ErrorRules } from '../../../../../src/agent/runner/error-rules.js';
import { LaneMemory, firstStart, lastEnd } from '../../../../../src/agent/runner/lane-memory.js';
import { Sampler } from '../../../../../src/agent/runner/sampler.js';
import { stopFlag } from '../../../../../src/agent/runner/shared-memory.js';
import { Histogram } from '../../../../../src/shared/metrics/histogram.js';
import { contentOf } from '../../../../support/lane-load.js';
import { temporaryFolder } from '../../../../support/temporary-folder.js';
import { streamOptions } from '../../../../support/stream-options.js';

const block = 4096;
const blocks = 1000;

interface Given {
  readonly budget?: Partial<Budget>;
  readonly rules?: ErrorRules;
  readonly sliceNs?: number;
  readonly perform?: BlockingEngine['perform'];
  readonly mix?: readonly ('read' | 'write')[];
}

function setUp(
  t: TestContext,
  { budget, rules = noErrorRules, sliceNs = 1e6, perform, mix = ['read'] }: Given,
) {
  const folder = temporaryFolder();
  const at = path.join(folder.path, 'f');
  fs.writeFileSync(at, Buffer.alloc(block * blocks));
  const descriptor = fs.openSync(at, 'r+');
  t.after(() => {
    fs.closeSync(descriptor);
    folder.remove();
  });
  const memory = new LaneMemory({ kinds: mix.length, depth: 1, openLoop: false });
  const flags = new Int32Array(new SharedArrayBuffer(16));
  const clock = new ClockBase();
  const stream = new OperationStream(
    streamOptions({
      mix: mix.map((operation) => ({ operation, weight: 1 })),
      access: 'sequential',
      files: { from: 3, to: 4 },
      fileSizeBytes: block * blocks,
      blockSizeBytes: block,
    }),
  );
  const limits: Budget = { deadlineNs: Infinity, operations: Infinity, bytes: Infinity, ...budget };
  const allowance = new Allowance(stream, limits, flags);
  const engine: BlockingEngine = {
    kind: 'blocking',
    mechanism: 'fake',
    perform: perform ?? (() => assert.fail('not to be asked')),
    finish: () => undefined,
    close: () => undefined,
  };
  const files = { kinds: new Set(mix), descriptors: [descriptor] };
  const content = contentOf(block, 100);
  const batch = BlockBatch.over({
    files,
    firstFile: 3,
    blockBytes: block,
    content,
    clock,
    sliceNs,
  });
  assert.ok(batch);
  const buffer = new Uint8Array(block);
  const lane = new BatchedLane({ engine, batch, stream, allowance, memory, buffer, rules });
  const sampler = new Sampler(
    [memory],
    mix,
    mix.map(() => block),
  );
  const run = () => {
    lane.begin(clock.now());
    for (;;) {
      const end = lane.slice();
      if (end !== undefined) return end;
    }
  };
  /** The number of the block that would be next. */
  const nextBlock = (): number => {
    const operation = blankOperation();
    assert.equal(stream.next(operation), 0);
    assert.deepEqual([operation.kind, operation.file, operation.bytes], ['read', 3, block]);
    return operation.offset / block;
  };
  return { lane, run, memory, flags, sampler, clock, limits, nextBlock, descriptor, stream };
}

/** Its descriptor stands for something else from now on. */
function replace(descriptor: number, open: () => number): void {
  fs.closeSync(descriptor);
  assert.equal(open(), descriptor);
}

describe('BatchedLane', () => {
  it('ends after exactly its number of operations', (t) => {
    for (const operations of [0, 1, 63, 64, 65, 1000]) {
      const { run, sampler, nextBlock } = setUp(t, { budget: { operations } });
      assert.equal(run(), 'operations');
      assert.equal(sampler.sample(true)[0]?.count, operations);
      assert.equal(nextBlock(), operations % blocks);
    }
  });

  it('never issues more bytes than it may', (t) => {
    for (const bytes of [10 * block, 11 * block - 1]) {
      const { run, sampler } = setUp(t, { budget: { bytes } });
      assert.equal(run(), 'bytes');
      assert.equal(sampler.sample(true)[0]?.bytes, 10 * block);
    }
  });

  it('[MEAS-02] ends at its deadline, and what was chosen and not done comes next', (t) => {
    const { run, sampler, limits, clock, nextBlock, memory } = setUp(t, {});
    limits.deadlineNs = clock.now() + 3e6;
    assert.equal(run(), 'duration');
    const count = sampler.sample(true)[0]?.count ?? -1;
    for (let i = 0; i < 70; i++) assert.equal(nextBlock(), (count + i) % blocks);
    assert.ok((memory.cells[lastEnd] ?? 0) >= limits.deadlineNs);
    assert.ok((memory.cells[firstStart] ?? 0) < limits.deadlineNs);
    assert.equal(memory.starts[0], 0);
  });

  it('begins nothing of what was chosen once the deadline has come', (t) => {
    const { lane, limits, sampler, clock } = setUp(t, { sliceNs: 0 });
    lane.begin(clock.now());
    assert.equal(lane.slice(), undefined);
    limits.deadlineNs = clock.now();
    assert.equal(lane.slice(), 'duration');
    assert.equal(sampler.sample(true)[0]?.count, 1);
  });

  it('[MEAS-02] ends within a slice when it is told to, and what was chosen and not done comes next', (t) => {
    const { lane, flags, sampler, clock, nextBlock, memory } = setUp(t, { sliceNs: 0 });
    lane.begin(clock.now());
    for (let i = 0; i < 5; i++) assert.equal(lane.slice(), undefined);
    assert.notEqual(memory.starts[0], 0);
    flags[stopFlag] = 1;
    assert.equal(lane.slice(), 'aborted');
    assert.equal(sampler.sample(true)[0]?.count, 5);
    for (let i = 5; i < 80; i++) assert.equal(nextBlock(), i);
    assert.equal(memory.starts[0], 0);
  });

  it('[MEAS-01] records what each took, and nothing in between', (t) => {
    const { run, sampler, memory } = setUp(t, { budget: { operations: 1000 } });
    run();
    sampler.sample(true);
    const service = Histogram.decode(sampler.totals()[0]?.service ?? new Uint8Array());
    assert.equal(service.count, 1000);
    const spanNs = (memory.cells[lastEnd] ?? 0) - (memory.cells[firstStart] ?? 0);
    assert.ok(service.mean * 1000 < spanNs * 1.002, `${String(service.mean)} ${String(spanNs)}`);
  });

  it('[MEAS-02] does what a mix chose, each kind counted by itself, and gives back both', (t) => {
    const mix = ['write', 'read'] as const;
    const { lane, sampler, clock, stream, flags } = setUp(t, { mix, sliceNs: 0 });
    const same = setUp(t, { mix }).stream;
    const counts = [0, 0];
    const operation = blankOperation();
    lane.begin(clock.now());
    for (let i = 0; i < 100; i++) {
      assert.equal(lane.slice(), undefined);
      counts[same.next(operation)]!++;
    }
    flags[stopFlag] = 1;
    assert.equal(lane.slice(), 'aborted');
    assert.deepEqual(
      sampler.sample(true).map(({ count }) => count),
      counts,
    );
    for (let i = 0; i < 100; i++) {
      const next = blankOperation();
      assert.equal(stream.next(next), same.next(operation));
      assert.deepEqual(next, operation);
    }
  });

  it('[ENG-03] counts failed writes, and says which kind ended the load', (t) => {
    // Of different kinds are the last ones that were chosen.
    for (const operations of Array.from({ length: 20 }, (_, i) => 40 + i)) {
      const stopOn = operations % 2;
      const rules = { ...noErrorRules, stopOn: Uint8Array.of(0, stopOn) };
      const mix = ['read', 'write'] as const;
      const given = setUp(t, { mix, rules, budget: { operations } });
      replace(given.descriptor, () => fs.openSync('/dev/full', 'r+'));
      assert.equal(given.run(), stopOn === 1 ? 'error' : 'operations');
      assert.equal(given.lane.stoppedBy, stopOn === 1 ? 'write failed with ENOSPC' : '');
      given.sampler.sample(true);
      const [read, write] = given.sampler.totals();
      assert.deepEqual(read?.errors, []);
      const failed = write?.errors[0]?.count ?? 0;
      assert.deepEqual(write?.errors, [{ code: 'ENOSPC', count: failed }]);
      if (stopOn === 1) assert.equal(failed, 1);
      else assert.equal(failed + read.count, operations);
    }
  });

  it('counts what takes too long', (t) => {
    const rules = { ...noErrorRules, timeoutNs: 0 };
    const { run, sampler } = setUp(t, { budget: { operations: 100 }, rules });
    run();
    const [read] = sampler.sample(true);
    assert.equal(read?.count, 0);
    sampler.sample(true);
    assert.deepEqual(sampler.totals()[0]?.errors, [{ code: 'TIMEOUT', count: 100 }]);
  });

  it('[ENG-03] counts errors that WASI has a name for, and goes on', (t) => {
    const { run, sampler, descriptor } = setUp(t, { budget: { operations: 100 } });
    replace(descriptor, () => fs.openSync('.', 'r'));
    assert.equal(run(), 'operations');
    sampler.sample(true);
    assert.deepEqual(sampler.totals()[0]?.errors, [{ code: 'EISDIR', count: 100 }]);
  });

  it('[ENG-03] asks once more for the name of others; OTHER when there is none any more', (t) => {
    let asked = 0;
    const { run, sampler, descriptor } = setUp(t, {
      budget: { operations: 3 },
      perform: (operation) => {
        assert.equal(operation.offset, asked * block);
        assert.equal(operation.file, 3);
        if (++asked === 2) return operation.bytes;
        throw Object.assign(new Error('fake'), { code: 'EUCLEAN', errno: -117 });
      },
    });
    // No places in it, and that error is none of those that are named.
    replace(descriptor, () => fs.openSync('/dev/ptmx', 'r'));
    assert.equal(run(), 'operations');
    sampler.sample(true);
    assert.deepEqual(
      new Set(sampler.totals()[0]?.errors.map(({ code, count }) => `${code} ${String(count)}`)),
      new Set(['EUCLEAN 2', 'OTHER 1']),
    );
  });

  it('[ENG-03] counts short reads', (t) => {
    const { run, sampler, descriptor } = setUp(t, { budget: { operations: 100 } });
    replace(descriptor, () => fs.openSync('/dev/null', 'r'));
    run();
    sampler.sample(true);
    assert.deepEqual(sampler.totals()[0]?.errors, [{ code: 'SHORT', count: 100 }]);
  });

  it('ends with the first error where that is to end the load, and gives back the rest', (t) => {
    const rules = { ...noErrorRules, stopOn: Uint8Array.of(1) };
    const { lane, run, sampler, descriptor, nextBlock } = setUp(t, { rules });
    replace(descriptor, () => fs.openSync('.', 'r'));
    assert.equal(run(), 'error');
    assert.equal(lane.stoppedBy, 'read failed with EISDIR');
    sampler.sample(true);
    assert.deepEqual(sampler.totals()[0]?.errors, [{ code: 'EISDIR', count: 1 }]);
    assert.equal(nextBlock(), 1);
  });
});
