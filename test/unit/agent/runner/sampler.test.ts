import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { errorCodes, errorSlotOf } from '../../../../src/agent/runner/error-codes.js';
import { LaneMemory } from '../../../../src/agent/runner/lane-memory.js';
import { Recorder } from '../../../../src/agent/runner/recorder.js';
import { Sampler } from '../../../../src/agent/runner/sampler.js';
import { Histogram } from '../../../../src/shared/metrics/histogram.js';

const event = fc.record({
  lane: fc.nat({ max: 2 }),
  slot: fc.nat({ max: 1 }),
  ns: fc.oneof(fc.nat({ max: 10_000 }), fc.nat({ max: 4e12 })),
  code: fc.option(fc.nat({ max: errorCodes.length - 1 }), { nil: undefined }),
  /** Of a completed one: how much later than intended it was issued. */
  lateNs: fc.nat({ max: 1e10 }),
});

const shape = { kinds: 2, depth: 3, openLoop: true };

function setUp(lanes: number): { sampler: Sampler; memories: readonly LaneMemory[] } {
  const memories = Array.from({ length: lanes }, () => new LaneMemory(shape));
  return { sampler: new Sampler(memories, ['read', 'stat'], [4096, 0]), memories };
}

describe('recorder and sampler', () => {
  it('[MEAS-01] lose nothing and invent nothing: intervals add up to the totals, those to the pooled values', () => {
    fc.assert(
      fc.property(fc.array(fc.array(event, { maxLength: 40 }), { maxLength: 6 }), (intervals) => {
        const { sampler, memories } = setUp(3);
        const recorders = memories.map((memory) => new Recorder(memory));
        const sums = [0, 1].map(() => ({
          service: new Histogram(),
          response: new Histogram(),
          failed: new Histogram(),
        }));
        for (const [i, events] of intervals.entries()) {
          for (const { lane, slot, ns, code, lateNs } of events) {
            if (code === undefined) {
              recorders[lane]?.done(slot, ns);
              recorders[lane]?.response(slot, ns + lateNs);
            } else recorders[lane]?.failed(slot, code, ns);
          }
          const stats = sampler.sample(i === intervals.length - 1);
          for (const [slot, { count, bytes, service, response, failed }] of stats.entries()) {
            sums[slot]?.service.add(service);
            sums[slot]?.response.add(response);
            sums[slot]?.failed.add(failed);
            assert.equal(sums[slot]?.service.count, count);
            assert.equal(bytes, count * (slot === 0 ? 4096 : 0));
          }
        }
        for (const [slot, stats] of sampler.totals().entries()) {
          const mine = intervals.flat().filter((one) => one.slot === slot);
          const pooled = new Histogram();
          const late = new Histogram();
          for (const { ns, code, lateNs } of mine) {
            if (code !== undefined) continue;
            pooled.record(ns);
            late.record(ns + lateNs);
          }
          assert.deepEqual(stats.response, late.encode());
          assert.deepEqual(stats.service, pooled.encode());
          assert.deepEqual(stats.service, sums[slot]?.service.encode());
          assert.deepEqual(stats.failed, sums[slot]?.failed.encode());
          for (const { code, count } of stats.errors) {
            const expected = mine.filter((one) => one.code === errorCodes.indexOf(code)).length;
            assert.equal(count, expected);
          }
          const failures = stats.errors.reduce((sum, { count }) => sum + count, 0);
          assert.equal(failures, mine.filter(({ code }) => code !== undefined).length);
        }
        assert.equal(sampler.ended, intervals.flat().length);
      }),
      { numRuns: 60 },
    );
  });

  it('[RUN-27] show an operation in flight and its age without asking the worker', () => {
    const { sampler, memories } = setUp(3);
    assert.deepEqual(sampler.inFlight(1000), { count: 0, oldestNs: 0 });
    memories[0]?.starts.set([700]);
    memories[2]?.starts.set([0, 400, 500]);
    assert.deepEqual(sampler.inFlight(1000), { count: 3, oldestNs: 600 });
  });

  it('come back as new after warming up', () => {
    const memory = new LaneMemory(shape);
    const recorder = new Recorder(memory);
    for (let i = 0; i < 3000; i++) recorder.done(i % 2, i * 1_000_003);
    recorder.failed(1, 3, 12);
    memory.clear();
    assert.ok(memory.dirty.every((mark) => mark === 0));
    const sampler = new Sampler([memory], ['read', 'stat'], [1, 1]);
    assert.ok(sampler.sample(true).every(({ count, errors }) => count + errors.length === 0));
  });
});

describe('error codes', () => {
  it('[ENG-03] count a system error by its errno name', () => {
    const enospc = Object.assign(new Error('full'), { code: 'ENOSPC', errno: -28 });
    assert.equal(errorCodes[errorSlotOf(enospc)], 'ENOSPC');
    const strange = Object.assign(new Error('?'), { code: 'EWHATEVER', errno: -9999 });
    assert.equal(errorCodes[errorSlotOf(strange)], 'OTHER');
  });

  it('let a bug pass instead of counting it', () => {
    const bug = Object.assign(new RangeError('offset'), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => errorSlotOf(bug), RangeError);
    assert.throws(() => errorSlotOf('text'));
  });
});
