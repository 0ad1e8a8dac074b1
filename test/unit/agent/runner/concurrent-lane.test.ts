import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type {
  Completion,
  ConcurrentEngine,
  Operation,
} from '../../../../src/agent/engines/engine.js';
import { Allowance } from '../../../../src/agent/runner/allowance.js';
import type { Budget } from '../../../../src/agent/runner/allowance.js';
import { OperationStream } from '../../../../src/agent/runner/choosing/operation-stream.js';
import { ClockBase } from '../../../../src/agent/runner/clock-base.js';
import { ConcurrentLane } from '../../../../src/agent/runner/concurrent-lane.js';
import { noErrorRules } from '../../../../src/agent/runner/error-rules.js';
import type { ErrorRules } from '../../../../src/agent/runner/error-rules.js';
import { LaneMemory, firstStart, lastEnd } from '../../../../src/agent/runner/lane-memory.js';
import { Sampler } from '../../../../src/agent/runner/sampler.js';
import { stopFlag } from '../../../../src/agent/runner/shared-memory.js';
import { streamOptions } from '../../../support/stream-options.js';

/** A lane of `depth` reads of 1000 bytes at once. `begin` sees each operation with what ends it. */
function setUp(
  depth: number,
  begin: (operation: Operation, buffer: Uint8Array, done: Completion) => void,
  limits: Partial<Budget> = {},
  someRules: Partial<ErrorRules> = {},
) {
  const memory = new LaneMemory({ kinds: 1, depth, openLoop: false });
  const flags = new Int32Array(new SharedArrayBuffer(16));
  const clock = new ClockBase();
  const stream = new OperationStream(
    streamOptions({
      mix: [{ operation: 'read', weight: 1 }],
      files: { from: 0, to: 4 },
      fileSizeBytes: 10_000,
      blockSizeBytes: 1000,
    }),
  );
  const budget = { deadlineNs: Infinity, operations: Infinity, bytes: Infinity, ...limits };
  const engine: ConcurrentEngine = {
    kind: 'concurrent',
    mechanism: 'fake',
    usesLibuv: false,
    start: begin,
    finish: () => undefined,
    close: () => undefined,
  };
  const buffers = Array.from({ length: depth }, () => new Uint8Array(1000));
  const allowance = new Allowance(stream, budget, flags);
  const rules = { ...noErrorRules, ...someRules };
  const parts = { engine, stream, buffers, clock, rules, verifiers: [] };
  const part = { allowance, memory, pacing: undefined, isLast: true, nextNs: Infinity };
  const lane = new ConcurrentLane(parts, part);
  const run = () => lane.run(part);
  const sampler = new Sampler([memory], ['read'], [1000]);
  return { lane, run, memory, flags, sampler, clock, buffers };
}

/** Not before the call that began it is over. */
function later(done: Completion, error: Error | null, moved: number): void {
  queueMicrotask(() => {
    done(error, moved);
  });
}

describe('ConcurrentLane', () => {
  it('[RPC-08] keeps its depth in flight, each in a place and with a buffer of its own', async () => {
    const open = new Set<Completion>();
    const inUse = new Map<Completion, Uint8Array>();
    let most = 0;
    const { run, sampler, clock, buffers } = setUp(
      64,
      ({ bytes }, buffer, done) => {
        assert.ok(![...open].some((other) => inUse.get(other) === buffer));
        open.add(done);
        inUse.set(done, buffer);
        most = Math.max(most, open.size);
        queueMicrotask(() => {
          assert.equal(sampler.inFlight(clock.now()).count, open.size);
          open.delete(done);
          done(null, bytes);
        });
      },
      { operations: 1000 },
    );
    assert.equal(await run(), 'operations');
    assert.equal(most, 64);
    assert.equal(new Set(inUse.values()).size, buffers.length);
    assert.equal(sampler.sample(true)[0]?.count, 1000);
    assert.equal(sampler.inFlight(clock.now()).count, 0);
  });

  it('ends by each of its limits, and when there is nothing to do at all', async () => {
    const begin = ({ bytes }: Operation, _: Uint8Array, done: Completion): void => {
      later(done, null, bytes);
    };
    for (const [limits, endedBy, count] of [
      [{ operations: 0 }, 'operations', 0],
      [{ operations: 3 }, 'operations', 3],
      [{ bytes: 10_500 }, 'bytes', 10],
      [{ deadlineNs: 0 }, 'duration', 0],
    ] as const) {
      const { run, sampler, memory } = setUp(4, begin, limits);
      assert.equal(await run(), endedBy);
      assert.equal(sampler.sample(true)[0]?.count ?? 0, count);
      assert.ok((memory.cells[lastEnd] ?? 0) >= (memory.cells[firstStart] ?? Infinity));
    }
  });

  it('waits for what is in flight when it is stopped, and issues nothing more', async () => {
    let begun = 0;
    const { run, flags, sampler } = setUp(8, ({ bytes }, _, done) => {
      begun++;
      queueMicrotask(() => {
        flags[stopFlag] = 1;
        done(null, bytes);
      });
    });
    assert.equal(await run(), 'aborted');
    assert.equal(begun, 8);
    assert.equal(sampler.sample(true)[0]?.count, 8);
  });

  it('[ENG-03] counts what is short, fails or cannot even begin, by its code', async () => {
    let n = 0;
    const system = (code: string) => Object.assign(new Error(code), { code, errno: -1 });
    const { run, sampler } = setUp(
      3,
      ({ bytes }, _, done) => {
        n++;
        if (n % 4 === 0) throw system('EMFILE');
        if (n % 4 === 1) later(done, system('EIO'), 0);
        else later(done, null, n % 4 === 2 ? bytes - 1 : bytes);
      },
      { operations: 400 },
    );
    assert.equal(await run(), 'operations');
    const [stats] = sampler.sample(true);
    assert.equal(stats?.count, 100);
    assert.deepEqual(
      new Map(stats.errors.map(({ code, count }) => [code, count])),
      new Map([
        ['SHORT', 100],
        ['EIO', 100],
        ['EMFILE', 100],
      ]),
    );
  });

  it('[CONF-03] follows timeouts.operation and error_policy: stop', async () => {
    const begin = ({ bytes }: Operation, _: Uint8Array, done: Completion): void => {
      later(done, null, bytes);
    };
    const slow = setUp(2, begin, { operations: 50 }, { timeoutNs: 0 });
    assert.equal(await slow.run(), 'operations');
    const [late] = slow.sampler.sample(true);
    assert.deepEqual(late?.errors, [{ code: 'TIMEOUT', count: 50 }]);
    const eio = Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 });
    const failing = (_: Operation, __: Uint8Array, done: Completion): void => {
      later(done, eio, 0);
    };
    const strict = setUp(2, failing, { operations: 50 }, { stopOn: Uint8Array.of(1) });
    assert.equal(await strict.run(), 'error');
    assert.equal(strict.lane.stoppedBy, 'read failed with EIO');
    assert.deepEqual(strict.sampler.sample(true)[0]?.errors, [{ code: 'EIO', count: 2 }]);
  });

  it('lets a bug of the engine out', async () => {
    const { run } = setUp(2, (_, __, done) => {
      later(done, new TypeError('bug'), 0);
    });
    await assert.rejects(run(), TypeError);
  });
});
