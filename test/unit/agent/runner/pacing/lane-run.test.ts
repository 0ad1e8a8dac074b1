import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Engine, Operation } from '../../../../../src/agent/engines/engine.js';
import { errorRateProblem } from '../../../../../src/agent/runner/error-rules.js';
import { Histogram } from '../../../../../src/shared/metrics/histogram.js';
import type { OperationKind } from '../../../../../src/shared/model/operation.js';
import type { StageAssignment } from '../../../../../src/shared/model/assignment.js';
import type { Verifier } from '../../../../../src/agent/runner/verify/verifier.js';
import { laneLoad, perSecond } from '../../../../support/lane-load.js';

const ms = 1e6;
/** One operation at a time in system calls, or several by the event loop. */
const depths = [1, 4] as const;

const done = ({ bytes }: Operation): number => bytes;

function first<T>(all: readonly T[]): T {
  const [one] = all;
  assert.ok(one !== undefined);
  return one;
}

for (const iodepth of depths) {
  describe(`LaneRun with iodepth ${String(iodepth)}`, () => {
    it('counts what was due and never issued, by the weights of the mix', async (t) => {
      const { load, clock, totals } = await laneLoad(
        t,
        {
          iodepth,
          rate: perSecond(10_000),
          durationMs: 300,
          mix: [
            { operation: 'read', weight: 3 },
            { operation: 'stat', weight: 1 },
          ],
        },
        ({ bytes }) => {
          for (const until = clock.now() + ms; clock.now() < until;);
          return bytes;
        },
      );
      await load.run(clock.now());
      const all = totals();
      const sum = (pick: (stats: (typeof all)[number]) => number) =>
        all.reduce((total, stats) => total + pick(stats), 0);
      assert.equal(sum(({ count }) => count) + sum((s) => s.unissuedSchedules), 3000);
      const [read, stat] = all;
      assert.ok(read && stat);
      assert.ok(Math.abs(read.unissuedSchedules - 3 * stat.unissuedSchedules) <= 3);
      assert.ok(sum((s) => s.missedSchedules) > 2990);
    });

    it('[RUN-28] issues and counts nothing for a start that was replaced, and all of it for the next', async (t) => {
      for (const rate of [undefined, perSecond(2000)]) {
        // A duration that no busy machine comes to the end of before the operations.
        const fields = { iodepth, rate, durationMs: 30_000, maxOperations: 20 };
        const { load, clock, memory, totals } = await laneLoad(t, fields, done);
        // Its instant has passed: there would be operations that are due.
        assert.equal(await load.run(clock.now() - 50 * ms, () => false), undefined);
        assert.deepEqual([totals()[0]?.count ?? 0, memory.unissued[0]], [0, 0]);
        assert.equal(await load.run(clock.now(), () => true), 'operations');
        assert.deepEqual([first(totals()).count, memory.unissued[0]], [20, 0]);
      }
    });

    it('[MEAS-06] keeps a rate in operations and in bytes, to the operation', async (t) => {
      for (const rate of [perSecond(2000), perSecond(2000 * 4096, 'bytes')]) {
        const { load, clock, totals } = await laneLoad(t, { iodepth, rate, durationMs: 500 }, done);
        const begin = clock.now();
        await load.run(begin);
        const stats = first(totals());
        assert.equal(stats.count + stats.unissuedSchedules, 1000, rate.unit);
        assert.ok(clock.now() - begin >= 500 * ms, 'the stage is not over before its time');
      }
    });

    it('[MEAS-02] draws Poisson arrivals from the seed, the stage, the agent and the lane', async (t) => {
      // What a busy machine leaves unissued was not drawn: such a run does not tell.
      const due = async (
        own: { seed?: number; agentIndex?: number; lane?: number },
        index = 0,
        tries = 50,
      ): Promise<number> => {
        const fields = { index, iodepth, rate: perSecond(1000), durationMs: 200 };
        const stage = { ...fields, arrival: 'poisson' } as const;
        const { load, clock, totals } = await laneLoad(t, stage, done, undefined, undefined, own);
        await load.run(clock.now());
        const { count, unissuedSchedules } = first(totals());
        if (unissuedSchedules === 0) return count;
        assert.ok(tries > 1, 'this machine does not come to its end in time');
        return due(own, index, tries - 1);
      };
      const drawn = await due({});
      assert.equal(await due({}), drawn);
      assert.notEqual(await due({ seed: 2 }), drawn);
      assert.notEqual(await due({ agentIndex: 1 }), drawn);
      // The alarms of the test are those of one lane.
      if (iodepth === 1) assert.notEqual(await due({ lane: 1 }), drawn);
      assert.notEqual(await due({}, 1), drawn);
    });

    it('[RUN-23] limits by operations hold in open loop', async (t) => {
      const { load, clock, totals } = await laneLoad(
        t,
        { iodepth, rate: perSecond(5000), maxOperations: 70 },
        done,
      );
      assert.equal(await load.run(clock.now()), 'operations');
      assert.equal(first(totals()).count, 70);
      assert.equal(first(totals()).unissuedSchedules, 0);
    });

    it('pauses after each operation for the think time, which is no latency', async (t) => {
      let n = 0;
      const { load, clock, totals } = await laneLoad(
        t,
        { iodepth, thinkTimeNs: 5 * ms, maxOperations: 20, durationMs: undefined },
        ({ bytes }) => (n++, bytes),
      );
      const begin = clock.now();
      await load.run(begin);
      assert.equal(n, 20);
      assert.ok(clock.now() - begin >= (20 / iodepth - 1) * 5 * ms);
      const stats = first(totals());
      assert.ok(Histogram.decode(stats.service).percentile(50) < 5 * ms);
      assert.equal(stats.response.length, 0);
      assert.equal(stats.missedSchedules, 0);
    });

    it('a warm-up is counted apart, and limits begin after it', async (t) => {
      for (const rate of [undefined, perSecond(2000)]) {
        const kinds: OperationKind[] = [];
        const { load, clock, totals, warmupMemory } = await laneLoad(
          t,
          { iodepth, rate, warmupMs: 200, maxOperations: 100, durationMs: 10_000 },
          ({ bytes, kind }) => (kinds.push(kind), bytes),
        );
        const begin = clock.now();
        assert.equal(await load.run(begin), 'operations');
        assert.ok(clock.now() - begin >= 200 * ms);
        const before = first(totals(warmupMemory));
        assert.equal(first(totals()).count, 100);
        assert.equal(before.count + 100, kinds.length);
        if (rate) assert.equal(before.count + before.unissuedSchedules, 400);
        else assert.ok(before.count > 400);
      }
    });

    it('takes a new share of the rate with the next operation', async (t) => {
      let n = 0;
      const { load, clock, control, totals } = await laneLoad(
        t,
        { iodepth, rate: perSecond(4000), durationMs: 400 },
        ({ bytes }) => {
          n++;
          if (n === 100) control.share.set([0, 1]);
          return bytes;
        },
      );
      control.share.set([0, 4]);
      await load.run(clock.now());
      const { count, unissuedSchedules } = first(totals());
      // A hundred at one a millisecond, then 300 ms with four a millisecond.
      const sum = count + unissuedSchedules;
      assert.ok(Math.abs(sum - 1300) < 5, String(sum));
    });

    for (const rate of [undefined, perSecond(1000)]) {
      const loop = rate === undefined ? 'closed' : 'open';

      it(`[CONF-03] an operation that takes longer than timeouts.operation is an error TIMEOUT (${loop} loop)`, async (t) => {
        let n = 0;
        const { load, clock, totals } = await laneLoad(
          t,
          { iodepth, rate, maxOperations: 40, durationMs: undefined },
          ({ bytes }) => {
            n++;
            if (n % 10 === 0) for (const until = clock.now() + 30 * ms; clock.now() < until;);
            return bytes;
          },
          25,
        );
        await load.run(clock.now());
        const stats = first(totals());
        const timeouts = stats.errors.find(({ code }) => code === 'TIMEOUT')?.count ?? 0;
        assert.ok(timeouts >= 4, 'a busy machine may make others slow, too');
        assert.equal(stats.count, 40 - timeouts);
        assert.ok(Histogram.decode(stats.failed).min >= 25 * ms);
      });
    }
  });
}

describe('LaneRun', () => {
  it('[MEAS-04] a target that stands still for a second shows it in the response times, not in the service times', async (t) => {
    let n = 0;
    const { load, clock, totals } = await laneLoad(
      t,
      { rate: perSecond(500), durationMs: 3000 },
      ({ bytes }) => {
        n++;
        if (n === 500) for (const until = clock.now() + 1000 * ms; clock.now() < until;);
        return bytes;
      },
    );
    assert.equal(await load.run(clock.now()), 'duration');
    const stats = first(totals());
    const service = Histogram.decode(stats.service);
    const response = Histogram.decode(stats.response);
    assert.equal(service.count, stats.count);
    assert.equal(response.count, stats.count);
    assert.equal(stats.count + stats.unissuedSchedules, 1500, 'no schedule is dropped');
    assert.ok(service.max >= 1000 * ms);
    assert.ok(service.percentile(99.9) < 500 * ms, `service ${String(service.percentile(99.9))}`);
    assert.ok(
      response.percentile(99.9) >= 900 * ms,
      `response ${String(response.percentile(99.9))}`,
    );
    assert.ok(response.percentile(75) >= 100 * ms, 'a third of the operations had to wait for it');
    assert.ok(stats.missedSchedules >= 499, `missed ${String(stats.missedSchedules)}`);
  });

  it('stops while it waits for a schedule', async (t) => {
    const { load, clock, control, totals } = await laneLoad(
      t,
      { rate: perSecond(1), durationMs: 60_000 },
      (operation) => {
        control.stop();
        return operation.bytes;
      },
    );
    assert.equal(await load.run(clock.now()), 'aborted');
    assert.equal(first(totals()).count, 1);
  });

  for (const rate of [undefined, perSecond(1000)]) {
    const loop = rate === undefined ? 'closed' : 'open';

    it(`[CONF-03] error_policy: stop ends the load at the first error of that operation (${loop} loop)`, async (t) => {
      for (const stopOn of [['read'], ['stat'], []] as const) {
        let n = 0;
        const { load, clock, totals } = await laneLoad(
          t,
          { rate, maxOperations: 20, stopOn },
          ({ bytes }) => {
            n++;
            if (n === 7 || n === 9)
              throw Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 });
            return bytes;
          },
        );
        const stops = stopOn[0] === 'read';
        assert.equal(await load.run(clock.now()), stops ? 'error' : 'operations');
        assert.equal(load.stoppedBy, stops ? 'read failed with EIO' : '');
        const stats = first(totals());
        assert.equal(stats.count, stops ? 6 : 18);
        assert.deepEqual(stats.errors, [{ code: 'EIO', count: stops ? 1 : 2 }]);
      }
    });
  }
});

describe('errorRateProblem', () => {
  const stage = { name: 'mixed', maxErrorRate: 0.01 };

  it('[CONF-03] says what failed when it is more than max_error_rate', () => {
    assert.equal(
      errorRateProblem(stage, { ended: 1000, failed: 25 }, false),
      'stage "mixed": 25 of 1000 operations failed (2.5%), more than max_error_rate 1%',
    );
    assert.equal(errorRateProblem(stage, { ended: 1000, failed: 10 }, true), undefined);
    const off = { ...stage, maxErrorRate: undefined };
    assert.equal(errorRateProblem(off, { ended: 1000, failed: 1000 }, true), undefined);
  });

  it('judges a few operations at the end only', () => {
    assert.equal(errorRateProblem(stage, { ended: 99, failed: 99 }, false), undefined);
    assert.match(errorRateProblem(stage, { ended: 100, failed: 2 }, false) ?? '', /2 of 100/);
    assert.match(errorRateProblem(stage, { ended: 99, failed: 99 }, true) ?? '', /99 of 99/);
    const none = { ...stage, maxErrorRate: 0 };
    assert.match(errorRateProblem(none, { ended: 5, failed: 1 }, true) ?? '', /rate 0%$/);
    assert.equal(errorRateProblem(none, { ended: 5, failed: 0 }, true), undefined);
  });
});

for (const { durationMs, done } of [
  { durationMs: 1000, done: 50 },
  { durationMs: 20, done: 0 },
]) {
  test(`[MEAS-04] what an operation of the warm-up holds up is missed from the first on (measured for ${String(durationMs)} ms)`, async (t) => {
    const limits = { warmupMs: 50, durationMs, maxOperations: 50 };
    let isBusy = false;
    const { load, clock, totals } = await laneLoad(
      t,
      { rate: perSecond(1000), ...limits },
      ({ bytes }) => {
        // Due in the warm-up, it ends in what is measured, or when all of that is over.
        if (!isBusy && clock.now() >= begin + 20 * ms) {
          isBusy = true;
          while (clock.now() < begin + 150 * ms);
        }
        return bytes;
      },
    );
    const begin = clock.now();
    await load.run(begin);
    const { count, missedSchedules } = first(totals());
    assert.deepEqual([count, missedSchedules], [done, done || durationMs]);
  });
}

test('[MEAS-04] what verification takes, before and after an operation, is in no latency', async (t) => {
  const spin = (): void => {
    for (const until = clock.now() + 3 * ms; clock.now() < until;);
  };
  const slow = {
    before: () => (spin(), clock.now()),
    after: () => (spin(), true),
  } as unknown as Verifier;
  const limits = { maxOperations: 20, durationMs: undefined };
  const { load, clock, totals } = await laneLoad(t, limits, done, undefined, slow);
  await load.run(clock.now());
  const { count, service } = first(totals());
  assert.equal(count, 20);
  assert.ok(Histogram.decode(service).percentile(50) < 3 * ms);
});

describe('a closed loop of reads', () => {
  const setUp = async (t: TestContext, fields: Partial<StageAssignment>, verifier?: Verifier) => {
    const zero = fs.openSync('/dev/zero', 'r');
    t.after(() => {
      fs.closeSync(zero);
    });
    let performed = 0;
    const engine: Engine = {
      kind: 'blocking',
      mechanism: 'fake',
      blocks: { kinds: new Set(['read']), descriptors: Array.from({ length: 8 }, () => zero) },
      perform: ({ bytes }) => (performed++, bytes),
      finish: () => undefined,
      close: () => undefined,
    };
    const stage = { durationMs: undefined, maxOperations: 100, ...fields };
    const { load, clock, totals, warmupMemory } = await laneLoad(
      t,
      stage,
      engine,
      undefined,
      verifier,
    );
    await load.run(clock.now());
    assert.equal(first(totals()).count, 100);
    return { performed, warmedUp: first(totals(warmupMemory)).count };
  };

  it('[PERF-01] is carried out in batches, the warm-up as well', async (t) => {
    const { performed, warmedUp } = await setUp(t, { warmupMs: 20 });
    assert.equal(performed, 0);
    assert.ok(warmedUp > 0);
  });

  it('goes through the engine where each read is verified, or waits for its turn', async (t) => {
    const checked = { before: () => 0, after: () => true } as unknown as Verifier;
    assert.equal((await setUp(t, {}, checked)).performed, 100);
    assert.equal((await setUp(t, { rate: perSecond(1e6) })).performed, 100);
  });
});
