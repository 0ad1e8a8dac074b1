import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClockBase } from '../../../../src/agent/runner/clock-base.js';
import { IntervalClock } from '../../../../src/agent/runner/interval-clock.js';
import { Sampler } from '../../../../src/agent/runner/sampler.js';
import type { Interval } from '../../../../src/shared/model/messages.js';
import { ManualClock } from '../../../support/manual-clock.js';

const second = 1e9;

/** What is reported of a stage whose second 0 begins at 2 s, where its timers fire at these instants (in s). */
function reported(beginsAtS: number, cutsAtS: number): Interval | undefined {
  const clock = new ManualClock();
  let nowS = 0;
  const base = new (class extends ClockBase {
    override now = (): number => nowS * second;
  })();
  const intervals: Interval[] = [];
  const sampler = new Sampler([], [], []);
  const emit = (interval: Interval): void => void intervals.push(interval);
  const cutter = new IntervalClock({ stage: 0, atNs: 2 * second, sampler, clock, base, emit });
  nowS = beginsAtS;
  clock.advance(2000);
  nowS = cutsAtS;
  clock.advance(1000);
  cutter.finish(false);
  return intervals[0];
}

test('[MEAS-06] a process that stood still over the begin of second 0 says so: what it missed was the stage, not only the warm-up', () => {
  const late = reported(8.5, 8.5);
  assert.deepEqual([late?.first, late?.last], [0, 5]);
  assert.ok((late?.runnerLoopDelayNs ?? 0) >= 6.5 * second, JSON.stringify(late));
});

test('[MEAS-06] a process that stood still over the end of a second says so, although its timers come in the order of their times', () => {
  const late = reported(2, 5.75);
  assert.deepEqual([late?.first, late?.last], [0, 2]);
  assert.equal(late?.runnerLoopDelayNs, 2.75 * second);
});

test('what held the process up in the warm-up alone is not in the first second', () => {
  const onTime = reported(2, 3);
  assert.deepEqual([onTime?.first, onTime?.last], [0, 0]);
  assert.ok((onTime?.runnerLoopDelayNs ?? Infinity) < second, JSON.stringify(onTime));
});

test('[MEAS-04] a stage that ends in its warm-up has no measured second', () => {
  const clock = new ManualClock();
  const base = new (class extends ClockBase {
    override now = (): number => 1.5 * second;
  })();
  const emit = (interval: Interval): void => assert.fail(JSON.stringify(interval));
  const sampler = new Sampler([], [], []);
  const cutter = new IntervalClock({ stage: 0, atNs: 2 * second, sampler, clock, base, emit });
  cutter.finish(true);
  assert.equal(cutter.count, 0);
  assert.equal(clock.armed, 0);
});
