import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RedialPace } from '../../../../src/controller/core/redial-pace.js';

const windowMs = 30_000;
const usual = { firstMs: 250, capMs: 5000 };

function after(...latencies: readonly number[]): RedialPace {
  const pace = new RedialPace(windowMs);
  for (const ms of latencies) pace.measured(ms);
  return pace;
}

test('[LINK-11] a link that is slow three times in a row gets longer reconnect delays, step by step', () => {
  const pace = new RedialPace(windowMs);
  const changes = Array.from({ length: 12 }, () => pace.measured(2000)?.firstMs);
  const none = undefined;
  assert.deepEqual(changes, [
    none,
    none,
    500,
    none,
    none,
    1000,
    none,
    none,
    2000,
    none,
    none,
    none,
  ]);
  assert.deepEqual(pace.delays, { firstMs: 2000, capMs: 7500 });
});

test('[LINK-11] the first delay is at least as long as messages take, up to two seconds; the longest grows from one second on', () => {
  const patient = 60_000;
  for (const [ms, firstMs, capMs] of [
    [250, 250, 5000],
    [300, 500, 5000],
    [600, 1000, 15_000],
    [60_000, 2000, 15_000],
  ] as const) {
    const pace = new RedialPace(patient);
    for (let measured = 0; measured < 20; measured += 1) pace.measured(ms);
    assert.deepEqual(pace.delays, { firstMs, capMs }, `${String(ms)} ms`);
  }
  const short = new RedialPace(8000);
  for (let measured = 0; measured < 20; measured += 1) short.measured(2000);
  assert.deepEqual(short.delays, { firstMs: 2000, capMs: 5000 });
});

test('[LINK-11] one slow message, or slow and fast ones in turn, change nothing', () => {
  assert.deepEqual(after(30_000).delays, usual);
  assert.deepEqual(after(2000, 2000, 10, 2000, 2000, 10, 2000, 2000).delays, usual);
});

test('[LINK-11] a link that gets fast again gets its short delays back', () => {
  const slow = Array<number>(9).fill(2000);
  const fast = Array<number>(9).fill(3);
  assert.deepEqual(after(...slow, ...fast).delays, usual);
  assert.equal(after(...slow, ...fast.slice(0, 3)).delays.firstMs, 1000);
});

test('[LINK-11] whatever is measured, delays stay within bounds and leave room for four dials in the window', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1e9, noNaN: true })),
      fc.integer({ min: 0, max: 600_000 }),
      (latencies, window) => {
        const pace = new RedialPace(window);
        for (const ms of latencies) pace.measured(ms);
        const { firstMs, capMs } = pace.delays;
        assert.ok(firstMs >= 250 && firstMs <= 2000);
        assert.ok(capMs >= 5000 && capMs <= Math.max(5000, window / 4));
      },
    ),
  );
});
