import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { linearScale, logScale, timeScale } from '../../../../../src/controller/view/html/scale.js';

test('a linear axis ends at a round number that is not below the highest value, with few labels', () => {
  assert.deepEqual(linearScale(95).ticks, [0, 20, 40, 60, 80, 100]);
  assert.deepEqual(linearScale(0).ticks, [0]);
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e15, noNaN: true }), (max) => {
      const { at, ticks } = linearScale(max);
      assert.ok(at(max) <= 1 + 1e-9 && at(max) >= 0.5, `${String(max)} is at ${String(at(max))}`);
      assert.ok(ticks.length >= 3 && ticks.length <= 6);
      assert.equal(at(0), 0);
    }),
  );
});

test('a latency axis goes from one power of ten to another, also for one value', () => {
  assert.deepEqual(logScale(2e3, 5e4).ticks, [1e3, 1e4, 1e5]);
  assert.deepEqual(logScale(1000, 1000).ticks, [1e3, 1e4]);
  assert.equal(logScale(1e3, 1e5).at(1e4), 0.5);
});

test('a time axis ends exactly where the time does and has labels at whole seconds', () => {
  assert.deepEqual(timeScale(2).ticks, [0, 1, 2]);
  assert.equal(timeScale(7.5).at(7.5), 1);
});
