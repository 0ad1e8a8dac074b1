import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { byteShareOf, segment, shareOf } from '../../../../src/agent/runner/shares.js';

const parts = fc.integer({ min: 1, max: 300 });
const total = fc.integer({ min: 0, max: 2 ** 45 });

describe('shares of the workers', () => {
  it('divide a range without gap or overlap, and evenly', () => {
    fc.assert(
      fc.property(total, parts, (count, n) => {
        const segments = Array.from({ length: n }, (_, i) => segment(count, i, n));
        assert.equal(segments[0]?.from, 0);
        assert.equal(segments.at(-1)?.to, count);
        for (const [i, { to }] of segments.slice(0, -1).entries()) {
          assert.equal(segments[i + 1]?.from, to);
        }
        const sizes = segments.map(({ from, to }) => to - from);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      }),
    );
  });

  it('add up to the limit of operations', () => {
    fc.assert(
      fc.property(total, parts, (limit, n) => {
        const sum = Array.from({ length: n }, (_, i) => shareOf(limit, i, n)).reduce(
          (a, b) => a + b,
        );
        assert.equal(sum, limit);
      }),
    );
  });

  it('add up to the limit of bytes, and all but the first are whole operations', () => {
    fc.assert(
      fc.property(total, fc.integer({ min: 1, max: 2 ** 30 }), parts, (limit, unit, n) => {
        const shares = Array.from({ length: n }, (_, i) => byteShareOf(limit, unit, i, n));
        assert.equal(
          shares.reduce((a, b) => a + b),
          limit,
        );
        assert.ok(shares.slice(1).every((share) => share % unit === 0));
      }),
    );
  });

  it('are endless without a limit', () => {
    assert.equal(shareOf(undefined, 0, 4), Infinity);
    assert.equal(byteShareOf(undefined, 4096, 3, 4), Infinity);
  });
});
