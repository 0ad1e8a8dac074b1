import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeldRanges } from '../../../../src/controller/core/held-ranges.js';

test('ranges that touch become one; what is held already is known; what overlaps is refused', () => {
  const held = new HeldRanges();
  assert.equal(held.add(0, 0), 'new');
  assert.equal(held.add(2, 4), 'new');
  assert.deepEqual(held.ranges, [
    { first: 0, last: 0 },
    { first: 2, last: 4 },
  ]);
  assert.equal(held.add(1, 1), 'new');
  assert.deepEqual(held.ranges, [{ first: 0, last: 4 }]);
  assert.equal(held.add(2, 3), 'known');
  assert.equal(held.add(4, 6), 'overlap');
  assert.equal(held.missing(7), 2);
  assert.equal(held.holdsAll(5), true);
  assert.equal(held.holdsAll(6), false);
});

test('in whatever order seconds arrive, the ranges say exactly which are there', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(40)), (seconds) => {
      const held = new HeldRanges();
      for (const second of seconds) assert.equal(held.add(second, second), 'new');
      const listed = held.ranges.flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, index) => first + index),
      );
      assert.deepEqual(
        listed,
        [...seconds].sort((a, b) => a - b),
      );
      const count = 20;
      const missing = count - seconds.filter((second) => second < count).length;
      assert.equal(held.missing(count), missing);
      assert.equal(held.holdsAll(count), missing === 0);
    }),
  );
});
