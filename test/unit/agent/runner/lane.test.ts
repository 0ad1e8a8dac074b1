import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BlockingEngine, Operation } from '../../../../src/agent/engines/engine.js';
import { Allowance } from '../../../../src/agent/runner/allowance.js';
import type { Budget } from '../../../../src/agent/runner/allowance.js';
import { ClockBase } from '../../../../src/agent/runner/clock-base.js';
import { Lane } from '../../../../src/agent/runner/lane.js';
import { noErrorRules } from '../../../../src/agent/runner/error-rules.js';
import type { ErrorRules } from '../../../../src/agent/runner/error-rules.js';
import { LaneMemory, firstStart, lastEnd } from '../../../../src/agent/runner/lane-memory.js';
import { OperationStream } from '../../../../src/agent/runner/choosing/operation-stream.js';
import { Sampler } from '../../../../src/agent/runner/sampler.js';
import { lastAct } from '../../../../src/agent/runner/last-act.js';
import { stopFlag } from '../../../../src/agent/runner/shared-memory.js';
import type { OperationKind } from '../../../../src/shared/model/operation.js';
import { streamOptions } from '../../../support/stream-options.js';

interface Set {
  readonly perform: (operation: Operation) => number;
  readonly budget?: Partial<Budget>;
  readonly mix?: readonly OperationKind[];
  readonly finish?: () => void;
  readonly rules?: ErrorRules;
}

function setUp({
  perform,
  budget,
  mix = ['read'],
  finish = () => undefined,
  rules = noErrorRules,
}: Set) {
  const memory = new LaneMemory({ kinds: mix.length, depth: 1, openLoop: false });
  const flags = new Int32Array(new SharedArrayBuffer(16));
  const clock = new ClockBase();
  const engine: BlockingEngine = {
    kind: 'blocking',
    mechanism: 'fake',
    perform,
    finish,
    close: () => undefined,
  };
  const stream = new OperationStream(
    streamOptions({
      mix: mix.map((operation) => ({ operation, weight: 1 })),
      files: { from: 0, to: 4 },
      fileSizeBytes: 10_000,
      blockSizeBytes: 1000,
    }),
  );
  const limits: Budget = { deadlineNs: Infinity, operations: Infinity, bytes: Infinity, ...budget };
  const allowance = new Allowance(stream, limits, flags);
  const buffer = new Uint8Array(1000);
  const lane = new Lane({ rules, engine, stream, allowance, memory, buffer, clock });
  const sampler = new Sampler(
    [memory],
    mix,
    mix.map((kind) => (kind === 'stat' ? 0 : 1000)),
  );
  const run = () => {
    lane.begin(clock.now());
    for (;;) {
      const end = lane.batch();
      if (end !== undefined) return end;
    }
  };
  return { engine, lane, run, memory, flags, sampler, clock, limits };
}

const fail = (code: string): never => {
  throw Object.assign(new Error(code), { code, errno: -1 });
};

/** Of three operations one is good, one fails and one is short. */
function goodFailedShort(): Set['perform'] {
  let n = 0;
  return ({ bytes }) => {
    n++;
    if (n % 3 === 0) return bytes - 1;
    return n % 3 === 1 ? bytes : fail('EIO');
  };
}

describe('Lane', () => {
  it('ends after exactly its number of operations', () => {
    for (const operations of [0, 1, 63, 64, 65, 1000]) {
      let performed = 0;
      const { run, sampler } = setUp({
        perform: ({ bytes }) => (performed++, bytes),
        budget: { operations },
      });
      assert.equal(run(), 'operations');
      assert.equal(performed, operations);
      assert.equal(sampler.sample(true)[0]?.count, operations);
    }
  });

  it('never issues more bytes than it may', () => {
    for (const bytes of [10_000, 10_500, 10_999]) {
      const { run, sampler } = setUp({
        perform: ({ bytes: each }) => each,
        mix: ['read', 'stat'],
        budget: { bytes },
      });
      assert.equal(run(), 'bytes');
      assert.equal(sampler.sample(true)[0]?.bytes, 10_000);
    }
  });

  it('ends at its deadline, and counts the operation that was in flight then', () => {
    let performed = 0;
    const { run, sampler, limits } = setUp({
      perform: ({ bytes }) => {
        performed++;
        limits.deadlineNs = 0;
        return bytes;
      },
    });
    assert.equal(run(), 'duration');
    assert.equal(performed, 1);
    assert.equal(sampler.sample(true)[0]?.count, 1);
  });

  it('[ENG-03] counts a short operation as SHORT and a failed one by its code, apart from the good ones', () => {
    const { run, sampler } = setUp({
      perform: goodFailedShort(),
      budget: { operations: 300 },
    });
    run();
    const [stats] = sampler.sample(true);
    assert.equal(stats?.count, 100);
    assert.equal(stats.bytes, 100_000);
    assert.deepEqual(stats.errors, [
      { code: 'SHORT', count: 100 },
      { code: 'EIO', count: 100 },
    ]);
  });

  it('[ENG-03] counts an operation that moved more than it should as none: it was not what was asked for', () => {
    const { run, sampler } = setUp({
      perform: ({ bytes }) => bytes + 1,
      budget: { operations: 3 },
    });
    run();
    const [stats] = sampler.sample(true);
    assert.equal(stats?.count, 0);
    assert.deepEqual(stats.errors, [{ code: 'SHORT', count: 3 }]);
  });

  it('[ENG-03] an error keeps its code, however long it took: only a good operation becomes a TIMEOUT', () => {
    const { run, sampler } = setUp({
      perform: goodFailedShort(),
      budget: { operations: 30 },
      // Every operation takes longer.
      rules: { ...noErrorRules, timeoutNs: 0 },
    });
    run();
    assert.deepEqual(sampler.sample(true)[0]?.errors, [
      { code: 'SHORT', count: 10 },
      { code: 'TIMEOUT', count: 10 },
      { code: 'EIO', count: 10 },
    ]);
  });

  it('stops issuing when told to, and leaves nothing in flight', () => {
    const { run, flags, memory } = setUp({
      perform: ({ bytes }) => {
        flags[stopFlag] = 1;
        return bytes;
      },
    });
    assert.equal(run(), 'aborted');
    assert.equal(memory.starts[0], 0);
    assert.ok((memory.cells[lastEnd] ?? 0) >= (memory.cells[firstStart] ?? 0));
  });

  it('shows since when an operation is in flight while it is', () => {
    const seen: number[] = [];
    const { run, sampler, clock } = setUp({
      perform: ({ bytes }) => {
        const { count, oldestNs } = sampler.inFlight(clock.now() + 1000);
        assert.ok(oldestNs >= 1000);
        seen.push(count);
        return bytes;
      },
      budget: { operations: 3 },
    });
    run();
    assert.deepEqual(seen, [1, 1, 1]);
    assert.equal(sampler.inFlight(clock.now()).count, 0);
  });

  it('counts what fails in the last act, and lets a bug of the engine out', () => {
    const { engine, memory, sampler, clock } = setUp({
      perform: () => 0,
      finish: () => fail('EDQUOT'),
    });
    assert.equal(lastAct(engine, memory, clock, 0), 'EDQUOT');
    assert.deepEqual(sampler.sample(true)[0]?.errors, [{ code: 'EDQUOT', count: 1 }]);
    const broken = setUp({
      perform: () => {
        throw new TypeError('bug');
      },
    });
    assert.throws(broken.run, TypeError);
  });
});
