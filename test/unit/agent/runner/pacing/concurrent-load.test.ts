import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Histogram } from '../../../../../src/shared/metrics/histogram.js';
import { ClockBase } from '../../../../../src/agent/runner/clock-base.js';
import { Alarm } from '../../../../../src/agent/runner/pacing/alarm.js';
import { RunControl } from '../../../../../src/agent/runner/shared-memory.js';
import { systemClock } from '../../../../../src/shared/kernel/system-clock.js';
import {
  alarmsFor,
  atNextTurn,
  concurrent,
  whileRunning,
  laneLoad,
  perSecond,
} from '../../../../support/lane-load.js';

const ms = 1e6;

describe('Schedules with several operations in flight', () => {
  it('[MEAS-04] a target that stands still for a second shows it in the response times, not in the service times', async (t) => {
    let n = 0;
    let isStill = false;
    const held: (() => void)[] = [];
    const engine = concurrent(({ bytes }, _buffer, done) => {
      const end = (): void => {
        done(null, bytes);
      };
      if (++n === 2000) {
        isStill = true;
        systemClock.after(1000, () => {
          isStill = false;
          for (const one of held) one();
        });
      }
      if (isStill) held.push(end);
      else atNextTurn(end);
    });
    const { load, clock, totals } = await laneLoad(
      t,
      { iodepth: 4, rate: perSecond(2000), durationMs: 3000 },
      engine,
    );
    assert.equal(await load.run(clock.now()), 'duration');
    const [stats] = totals();
    assert.ok(stats);
    const service = Histogram.decode(stats.service);
    const response = Histogram.decode(stats.response);
    assert.equal(held.length, 4, 'no more were in flight than may be');
    assert.equal(stats.count + stats.unissuedSchedules, 6000, 'no schedule is dropped');
    assert.equal(response.count, stats.count);
    assert.ok(service.max >= 999 * ms);
    assert.ok(service.percentile(99.9) < 500 * ms, `service ${String(service.percentile(99.9))}`);
    assert.ok(
      response.percentile(99.9) >= 900 * ms,
      `response ${String(response.percentile(99.9))}`,
    );
    assert.ok(response.percentile(75) >= 100 * ms, 'a third of the operations had to wait for it');
    assert.ok(stats.missedSchedules >= 1990, `missed ${String(stats.missedSchedules)}`);
  });

  it('issues what is due while others are in flight', async (t) => {
    let inFlight = 0;
    let most = 0;
    let first: (() => void) | undefined;
    const engine = concurrent(({ bytes }, _buffer, done) => {
      most = Math.max(most, ++inFlight);
      const end = (): void => {
        inFlight--;
        done(null, bytes);
      };
      // The first one ends when the last one of the others has: they cannot have waited for it.
      if (first === undefined) first = end;
      else systemClock.after(10, end);
    });
    const stage = { iodepth: 16, rate: perSecond(500), maxOperations: 100, durationMs: undefined };
    const { load, clock, totals } = await laneLoad(t, stage, engine);
    const over = load.run(clock.now());
    const others = (): number => totals()[0]?.count ?? 0;
    await whileRunning(() => others() === 99);
    first?.();
    assert.equal(await over, 'operations');
    assert.equal(others(), 100);
    assert.ok(most >= 4 && most <= 16, String(most));
  });

  it('each place pauses for the think time after an operation of its own', async (t) => {
    let n = 0;
    const last = new Map<Uint8Array, number>();
    const gaps: number[] = [];
    const engine = concurrent(({ bytes }, buffer, done) => {
      const before = last.get(buffer);
      if (before !== undefined) gaps.push(clock.now() - before);
      systemClock.after(++n % 5, () => {
        last.set(buffer, clock.now());
        done(null, bytes);
      });
    });
    const stage = { iodepth: 3, thinkTimeNs: 10 * ms, maxOperations: 30, durationMs: undefined };
    const { load, clock } = await laneLoad(t, stage, engine);
    assert.equal(await load.run(clock.now()), 'operations');
    assert.equal(gaps.length, 27);
    assert.ok(Math.min(...gaps) >= 10 * ms, String(Math.min(...gaps)));
  });

  for (const rate of [undefined, perSecond(1000)]) {
    it(`operations of the warm-up that are still in flight do not hold up the measured ones (${rate ? 'open' : 'closed'} loop)`, async (t) => {
      const late: (() => void)[] = [];
      const engine = concurrent(({ bytes }, _buffer, done) => {
        const end = (): void => {
          done(null, bytes);
        };
        if (late.length < 3) late.push(end);
        else atNextTurn(end);
      });
      const stage = { iodepth: 4, rate, warmupMs: 100, maxOperations: 200, durationMs: 10_000 };
      const { load, clock, totals, warmupMemory } = await laneLoad(t, stage, engine);
      const over = load.run(clock.now());
      const measured = (): number => totals()[0]?.count ?? 0;
      const warm = () => totals(warmupMemory)[0]?.count ?? 0;
      await whileRunning(() => measured() >= 100);
      const before = warm();
      assert.ok(before > 0);
      for (const end of late) end();
      assert.equal(warm(), before + 3, 'they are counted where they belong');
      assert.equal(await over, 'operations');
      assert.equal(measured(), 200);
      assert.equal(warm(), before + 3);
    });
  }

  for (const pace of [{ rate: perSecond(4) }, { thinkTimeNs: 2000 * ms }]) {
    const [what] = Object.keys(pace);
    it(`[MEAS-05] what ends in the rest of the warm-up, when no more is due in it, is heard then (${String(what)})`, async (t) => {
      const engine = concurrent(({ bytes }, _buffer, done) => {
        systemClock.after(5, () => {
          done(null, bytes);
        });
      });
      const limits = { maxOperations: 4, durationMs: 10_000 };
      const stage = { iodepth: 4, ...pace, warmupMs: 1000, ...limits };
      const { load, clock, totals, warmupMemory } = await laneLoad(t, stage, engine);
      assert.equal(await load.run(clock.now()), 'operations');
      const [warm] = totals(warmupMemory);
      assert.equal(warm?.count, 4);
      const { max } = Histogram.decode(warm.service);
      // Up to the next schedule or to the end of the warm-up there are 250 ms, or nearly a second.
      assert.ok(max < 200 * ms, String(max));
      assert.equal(totals()[0]?.count, 4, 'and the measured part begins with all places');
    });
  }

  for (const moment of ['in the measured part', 'between the parts']) {
    it(`[CONF-03] error_policy: stop heeds an operation of the warm-up that fails ${moment}`, async (t) => {
      const eio = Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 });
      let fail: (() => void) | undefined;
      const engine = concurrent(({ bytes }, _buffer, done) => {
        if (fail === undefined) {
          fail = () => {
            done(eio, 0);
          };
          return;
        }
        atNextTurn(() => {
          const isOver = clock.now() >= originNs;
          done(null, bytes);
          const isThen = moment === 'between the parts' ? isOver : totals()[0]?.count === 9;
          if (isThen && !hasFailed) fail?.();
          hasFailed ||= isThen;
        });
      });
      let hasFailed = false;
      const { load, clock, totals } = await laneLoad(
        t,
        { iodepth: 2, warmupMs: 50, stopOn: ['read'], durationMs: 5000 },
        engine,
      );
      const begin = clock.now();
      const originNs = begin + 50 * ms;
      assert.equal(await load.run(begin), 'error');
      assert.equal(load.stoppedBy, 'read failed with EIO');
      // None, or on a busy machine one that began just after the warm-up, and one beside it.
      const most = moment === 'between the parts' ? 2 : 10;
      assert.ok((totals()[0]?.count ?? 0) <= most);
    });
  }
});

describe('Alarm', () => {
  it('[STAT-09] wakes for its instant, and at once when the load is stopped', async (t) => {
    for (const watch of [true, false]) {
      const clock = new ClockBase();
      const control = new RunControl();
      const alarm = new Alarm(control, await alarmsFor(t, control, clock), 0, watch);
      const wakes = (dueNs: number) =>
        new Promise<number>((resolve) => {
          alarm.set(dueNs, clock.now(), () => {
            resolve(clock.now());
          });
        });
      const dueNs = clock.now() + 30 * ms;
      assert.ok((await wakes(dueNs)) >= dueNs - 0.05 * ms);
      const far = wakes(clock.now() + 3_600_000 * ms);
      control.stop();
      await far;
      await wakes(clock.now() + 3_600_000 * ms);
    }
  });
});
