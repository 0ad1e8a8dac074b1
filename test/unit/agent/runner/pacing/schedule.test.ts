import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ScheduledPace } from '../../../../../src/agent/runner/pacing/pace.js';
import { lanePhase, laneShare } from '../../../../../src/agent/runner/pacing/phase.js';
import { RateCourse } from '../../../../../src/shared/model/rate-course.js';
import { Schedule } from '../../../../../src/agent/runner/pacing/schedule.js';
import type { ScheduleOptions } from '../../../../../src/agent/runner/pacing/schedule.js';
import type { Rate } from '../../../../../src/shared/model/pacing.js';

const second = 1e9;
const flat = (perSecond: number, unit: Rate['unit'] = 'operations'): Rate => ({
  unit,
  steps: [{ from: perSecond, to: perSecond }],
});

function scheduleOf(options: Partial<ScheduleOptions> = {}): Schedule {
  return new Schedule({
    rate: flat(1000),
    arrival: 'constant',
    durationNs: 10 * second,
    warmupNs: 0,
    phase: 0,
    share: 1,
    meanBytes: 4096,
    keys: [1, 0, 0, 0],
    ...options,
  });
}

/** The first `count` instants, each of an operation of so many bytes. */
function instants(schedule: Schedule, count: number, bytes = 4096): number[] {
  return Array.from({ length: count }, () => {
    const at = schedule.dueNs;
    schedule.advance(bytes);
    return at;
  });
}

function until(schedule: Schedule, untilNs: number): number {
  let count = 0;
  for (; schedule.dueNs < untilNs; count++) schedule.advance(4096);
  return count;
}

const gapsOf = (at: readonly number[]): number[] => at.slice(1).map((ns, i) => ns - (at[i] ?? 0));
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe('Schedule', () => {
  it('[MEAS-06] spaces constant arrivals evenly, without drift over an hour', () => {
    const schedule = scheduleOf({ rate: flat(30_000), durationNs: Infinity });
    const at = instants(schedule, 3 * 30_000);
    for (const gap of gapsOf(at)) assert.ok(Math.abs(gap - second / 30_000) < 1e-3);
    const hour = scheduleOf({ rate: flat(997), durationNs: Infinity });
    assert.equal(until(hour, 3600 * second - 1e6), 3600 * 997);
  });

  it('[MEAS-06] keeps rates below one a second, alone, among lanes and in a ramp', () => {
    const half = scheduleOf({ rate: flat(0.5), durationNs: Infinity });
    assert.deepEqual(instants(half, 3), [0, 2 * second, 4 * second]);
    const lanes = [0, 0.5].map((phase) =>
      instants(scheduleOf({ rate: flat(0.01), share: 0.5, phase }), 2).map((ns) => ns / second),
    );
    assert.deepEqual(lanes, [
      [0, 200],
      [100, 300],
    ]);
    const ramp: Rate = { unit: 'operations', steps: [{ from: 0.1, to: 0.3 }] };
    const rising = scheduleOf({ rate: ramp, durationNs: 100 * second });
    assert.equal(until(rising, 100 * second), 20);
  });

  it('[MEAS-06] Poisson arrivals have the mean, the variance and the shape of an exponential distribution', () => {
    const perSecond = 20_000;
    const count = 200_000;
    for (const seed of [1, 2, 3, 4, 5]) {
      const schedule = scheduleOf({
        rate: flat(perSecond),
        arrival: 'poisson',
        keys: [seed, 0, 0],
      });
      const gaps = gapsOf(instants(schedule, count + 1)).map((ns) => (ns * perSecond) / second);
      const average = mean(gaps);
      const variance = mean(gaps.map((gap) => (gap - average) ** 2));
      // Standard errors of the mean and of the variance of an exponential: 1/√n and √(8/n); five of them.
      assert.ok(
        Math.abs(average - 1) < 5 / Math.sqrt(count),
        `seed ${String(seed)}: mean ${String(average)}`,
      );
      assert.ok(
        Math.abs(variance - 1) < 5 * Math.sqrt(8 / count),
        `seed ${String(seed)}: variance ${String(variance)}`,
      );
      // Kolmogorov-Smirnov: 1.95 / √n is exceeded once in a thousand times; the seeds are fixed.
      const sorted = gaps.sort((a, b) => a - b);
      const distance = sorted.reduce(
        (most, gap, i) => Math.max(most, Math.abs(1 - Math.exp(-gap) - (i + 0.5) / count)),
        0,
      );
      assert.ok(distance < 1.95 / Math.sqrt(count), `seed ${String(seed)}: ${String(distance)}`);
    }
  });

  it('[MEAS-02] has the same instants for the same seed, and others for another seed or lane', () => {
    const of = (keys: readonly number[]) =>
      instants(scheduleOf({ arrival: 'poisson', keys }), 100).join();
    assert.equal(of([7, 0, 1, 2]), of([7, 0, 1, 2]));
    assert.notEqual(of([7, 0, 1, 2]), of([8, 0, 1, 2]));
    assert.notEqual(of([7, 0, 1, 2]), of([7, 0, 1, 3]));
  });

  it('follows a rate in bytes whatever the size of the operations', () => {
    const schedule = scheduleOf({ rate: flat(1e6, 'bytes') });
    let bytes = 0;
    for (let i = 0; schedule.dueNs < 10 * second; i++) {
      const size = 1000 * (1 + (i % 7));
      schedule.advance(size);
      bytes += size;
    }
    assert.ok(Math.abs(bytes - 10e6) <= 7000, String(bytes));
  });

  it('[MEAS-06] a ramp goes from the one rate to the other over the duration, and stays there', () => {
    const ramp: Rate = { unit: 'operations', steps: [{ from: 1000, to: 3000 }] };
    const schedule = scheduleOf({ rate: ramp, warmupNs: 2 * second });
    assert.ok(Math.abs(until(schedule, 0) - 2000) <= 1, 'warm-up at the first rate');
    const perSecond = Array.from({ length: 12 }, (_, i) => until(schedule, (i + 1) * second));
    for (const [i, count] of perSecond.entries()) {
      const expected = i < 10 ? 1100 + 200 * i : 3000;
      assert.ok(Math.abs(count - expected) <= 1, `second ${String(i)}: ${String(count)}`);
    }
  });

  it('[MEAS-06] steps last equally long', () => {
    const steps = [100, 300, 50, 1000].map((rate) => ({ from: rate, to: rate }));
    const schedule = scheduleOf({ rate: { unit: 'operations', steps }, durationNs: 8 * second });
    const counts = steps.map((_, i) => until(schedule, 2 * (i + 1) * second));
    assert.deepEqual(
      counts.map((count) => Math.round(count / 10) * 10),
      [200, 600, 100, 2000],
    );
  });

  it('the lanes of all agents together keep the rate, evenly', () => {
    const at: number[] = [];
    for (let index = 0; index < 3; index++) {
      for (let lane = 0; lane < 4; lane++) {
        const share = { index, count: 3 };
        const schedule = scheduleOf({
          share: laneShare(share, 4),
          phase: lanePhase(share, lane, 4),
        });
        at.push(...instants(schedule, 100));
      }
    }
    at.sort((a, b) => a - b);
    assert.equal(at.length, 1200);
    for (const gap of gapsOf(at)) assert.ok(Math.abs(gap - 1e6) < 1, String(gap));
  });

  it('a new share counts from the next operation on', () => {
    const schedule = scheduleOf({ share: 1 / 3 });
    assert.deepEqual(instants(schedule, 2), [0, 3e6]);
    schedule.reshare(1 / 2);
    assert.deepEqual(
      gapsOf(instants(schedule, 3)).map((gap) => Math.round(gap)),
      [2e6, 2e6],
    );
  });

  it('a new share is the agent’s: each of its lanes gets its part of it', () => {
    const share = new Float64Array([0, 4]);
    const schedule = scheduleOf({ rate: flat(8000), share: 1 / (4 * 2) });
    const pace = new ScheduledPace(schedule, 100, share, 2);
    const at = [0, 1, 2].map((lost) => {
      const { dueNs } = pace;
      if (lost === 1) share[1] = 1;
      pace.taken(4096);
      return dueNs;
    });
    assert.deepEqual(at, [100, 1e6 + 100, 1.25e6 + 100]);
  });

  it('a new share of a ramp counts likewise, and for what is still due', () => {
    const rate: Rate = { unit: 'operations', steps: [{ from: 100, to: 300 }] };
    const schedule = scheduleOf({ rate, share: 1 / 4 });
    // 110 + 130 are due in the first two seconds, of which a quarter is this lane's.
    assert.ok(Math.abs(until(schedule, 2 * second) - 60) <= 1);
    schedule.reshare(1 / 2);
    assert.ok(Math.abs(schedule.dueUntil(4 * second) - (150 + 170) / 2) <= 1);
    assert.ok(Math.abs(until(schedule, 4 * second) - (150 + 170) / 2) <= 1);
  });

  it('says how many operations are still due', () => {
    const schedule = scheduleOf();
    assert.equal(schedule.dueUntil(second), 1000);
    instants(schedule, 400);
    assert.equal(schedule.dueUntil(second), 600);
    assert.equal(schedule.dueUntil(schedule.dueNs), 0);
    const bytes = scheduleOf({ rate: flat(4096 * 100, 'bytes') });
    instants(bytes, 10);
    assert.equal(bytes.dueUntil(second), 90);
  });
});

describe('RateCourse', () => {
  const rate = fc.integer({ min: 1, max: 100_000 });
  const rates = fc.array(fc.record({ from: rate, to: rate }), { minLength: 1, maxLength: 5 });

  it('the work between an instant and the one that `after` gives is the work asked for', () => {
    fc.assert(
      fc.property(
        rates,
        fc.double({ min: -1, max: 12, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e5, noNaN: true }),
        fc.double({ min: 1e-3, max: 1, noNaN: true }),
        (steps, atS, work, share) => {
          const course = new RateCourse({ unit: 'operations', steps }, 10 * second);
          const at = atS * second;
          const next = course.after(at, work, share);
          assert.ok(next > at);
          const due = course.between(at, next) * share;
          assert.ok(
            Math.abs(due - work) <= 1e-6 * work + 1e-6,
            `${String(due)} of ${String(work)}`,
          );
        },
      ),
    );
  });
});
