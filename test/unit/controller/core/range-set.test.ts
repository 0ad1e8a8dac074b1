import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RangeSet } from '../../../../src/controller/core/range-set.js';

test('ranges are what a set of their seconds would be, and never hold a second twice', () => {
  const range = fc.record({
    first: fc.integer({ min: 0, max: 30 }),
    length: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 25 }), (added) => {
      const ranges = new RangeSet();
      const seconds = new Set<number>();
      for (const { first, length } of added) {
        const wanted = Array.from({ length }, (_, offset) => first + offset);
        const free = wanted.every((second) => !seconds.has(second));
        assert.equal(ranges.add(first, first + length - 1), free);
        if (free) for (const second of wanted) seconds.add(second);
      }
      const sorted = [...seconds].sort((a, b) => a - b);
      const expanded = ranges.ranges.flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, offset) => first + offset),
      );
      assert.deepEqual(expanded, sorted);
      assert.equal(ranges.seconds, seconds.size);
      assert.equal(ranges.end, (sorted.at(-1) ?? -1) + 1);
      for (let second = 0; second < 36; second++) {
        assert.equal(ranges.has(second), seconds.has(second));
      }
      let contiguous = 0;
      while (seconds.has(contiguous)) contiguous += 1;
      assert.equal(ranges.contiguous, contiguous);
      for (const [index, { first }] of ranges.ranges.entries()) {
        assert.ok(index === 0 || first > (ranges.ranges[index - 1]?.last ?? 0) + 1, 'they touch');
      }
    }),
  );
});

test('what is no range of seconds is not added', () => {
  const ranges = new RangeSet();
  assert.equal(ranges.add(-1, 2), false);
  assert.equal(ranges.add(3, 2), false);
  assert.deepEqual(ranges.ranges, []);
});
