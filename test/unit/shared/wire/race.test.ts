import assert from 'node:assert/strict';
import test from 'node:test';
import { race } from '../../../../src/shared/wire/race.js';
import { ManualClock } from '../../../support/manual-clock.js';

const never = new Promise<void>(() => undefined);

function limits(clock: ManualClock, signal = new AbortController().signal) {
  return { clock, timeoutMs: 100, signal };
}

test('work that is done in time leaves no timer behind', async () => {
  const clock = new ManualClock();
  assert.equal(await race(Promise.resolve(), limits(clock)), 'done');
  assert.equal(clock.armed, 0);
});

test('work that is not done in time is not waited for', async () => {
  const clock = new ManualClock();
  const outcome = race(never, limits(clock));
  clock.advance(100);
  assert.equal(await outcome, 'timeout');
});

test('[RUN-02] a deadline that was slept through begins anew: nobody is blamed for our own sleep', async () => {
  const clock = new ManualClock();
  const outcome = race(never, limits(clock));
  clock.sleep(20_000);
  clock.advance(99);
  assert.equal(clock.armed, 1, 'still waiting');
  clock.advance(1);
  assert.equal(await outcome, 'timeout');
  const late = race(never, limits(clock));
  clock.sleep(2100);
  assert.equal(await late, 'timeout', 'a busy moment is no sleep');
});

test('[STAT-09] an abort ends the wait at once, and one that came before is heeded as well', async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const outcome = race(never, limits(clock, abort.signal));
  abort.abort();
  assert.equal(await outcome, 'cancelled');
  assert.equal(clock.armed, 0);
  assert.equal(await race(Promise.resolve(), limits(clock, abort.signal)), 'cancelled');
});

test('work that fails fails the race with its own error, and leaves no timer behind', async () => {
  const clock = new ManualClock();
  await assert.rejects(race(Promise.reject(new RangeError('its own')), limits(clock)), {
    name: 'RangeError',
    message: 'its own',
  });
  assert.equal(clock.armed, 0);
});
