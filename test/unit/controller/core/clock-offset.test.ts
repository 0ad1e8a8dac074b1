import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bestEstimate, estimateOf } from '../../../../src/controller/core/clock-offset.js';

const wallOffsetMs = 0;

/** A probe over a path with these two delays, to an agent whose clock is `offset` ahead. */
function probe(offset: bigint, there: bigint, back: bigint, atAgent = 0n) {
  const t1Ns = 10n ** 12n;
  const t2Ns = t1Ns + there + offset;
  const t3Ns = t2Ns + atAgent;
  return { t1Ns, t2Ns, t3Ns, t4Ns: t3Ns - offset + back, wallOffsetMs };
}

test('[RUN-20] on a symmetric path the offset is exact, and time spent at the agent does not count', () => {
  const estimate = estimateOf(probe(-3_500_000_000n, 40_000n, 40_000n, 9_000_000n));
  assert.equal(estimate.offsetNs, -3_500_000_000n);
  assert.equal(estimate.roundTripNs, 80_000);
});

test('[RUN-20] however asymmetric the path, the error stays within the published bound', () => {
  const delay = fc.bigInt({ min: 0n, max: 3_000_000_000n });
  const offset = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n });
  fc.assert(
    fc.property(offset, fc.array(fc.tuple(delay, delay), { minLength: 3 }), (truth, paths) => {
      const probes = paths.map(([there, back]) => probe(truth, there, back));
      const best = bestEstimate(probes, true);
      assert.ok(best);
      const error = best.offsetNs - truth;
      assert.ok(BigInt(best.boundNs) >= (error < 0n ? -error : error), `${error}`);
    }),
  );
});

test('the probe with the smallest delay counts, but not one of the two that warm the path', () => {
  const probes = [1n, 2n, 500n, 300n, 400n].map((delay) => probe(7n, delay, delay));
  assert.equal(bestEstimate(probes, true)?.roundTripNs, 600);
  assert.equal(bestEstimate(probes, false)?.roundTripNs, 2);
  assert.equal(bestEstimate(probes.slice(0, 2), true)?.roundTripNs, 2, 'better than nothing');
});

test('a reply that cannot be true is left out', () => {
  const backwards = { ...probe(0n, 5n, 5n), t4Ns: 0n };
  const atAgent = probe(0n, 5n, 5n);
  const reversed = { ...atAgent, t2Ns: atAgent.t3Ns + 1n };
  assert.equal(bestEstimate([backwards, reversed], false), undefined);
});
