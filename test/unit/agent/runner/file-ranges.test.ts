import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FileRanges } from '../../../../src/agent/runner/file-ranges.js';

const range = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 12 }))
  .map(([from, length]) => [from, from + length] as const);

describe('FileRanges', () => {
  it('holds exactly what was added, as ascending ranges that do not touch', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 20 }), range, (ranges, asked) => {
        const set = new Set<number>();
        for (const [from, to] of ranges) for (let i = from; i < to; i++) set.add(i);
        const files = new FileRanges(ranges);
        assert.equal(files.size, set.size);
        for (let i = 0; i < 80; i++) assert.equal(files.has(i), set.has(i));
        const kept = files.toArray();
        for (const [i, [from]] of kept.slice(1).entries()) {
          assert.ok(from > (kept[i]?.[1] ?? 0));
        }
        const [from, to] = asked;
        const isCovered = Array.from({ length: to - from }, (_, i) => from + i).every((i) =>
          set.has(i),
        );
        assert.equal(files.covers(from, to), isCovered);
      }),
    );
  });
});
