import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IntervalRow } from '../../../../../src/controller/core/interval-rows.js';
import { perSecond, thinRows } from '../../../../../src/controller/view/html/thin-rows.js';

function row(second: number, change: Partial<IntervalRow> = {}): IntervalRow {
  return {
    ...{ first: second, last: second, count: 10, bytes: 40_960, errors: 0, latency: null },
    ...{ response: null, missed: 0, inFlight: 0, oldestInFlightNs: 0, mark: '', ...change },
  };
}

const latency = (p50: number) => {
  return { mean: p50, p50, p90: p50, p99: 2 * p50, p99_9: 3 * p50, max: 4 * p50 };
};

test('[LINK-16] a column of several rows: counts, bytes and errors are added, latencies the highest, one gap marks it', () => {
  const rows = [
    row(0, { latency: latency(100), errors: 1 }),
    row(1, { latency: latency(300), errors: 2 }),
    row(2, { count: 40, mark: 'missing' }),
    row(3, { errors: 4, response: latency(400) }),
  ];
  const [first, second, ...others] = thinRows(rows, 2, 4);
  assert.deepEqual(first, {
    ...{ first: 0, last: 1, count: 20, rate: 10, bytesRate: 40_960, errors: 3 },
    ...{ p50: 300, p99: 600, max: 1200, responseP99: null, missing: false },
  });
  assert.deepEqual(second, {
    ...{ first: 2, last: 3, count: 50, rate: 25, bytesRate: 40_960, errors: 4 },
    ...{ p50: null, p99: null, max: null, responseP99: 800, missing: true },
  });
  assert.deepEqual(others, []);
});

test('[LINK-16] a rate is of the load in its seconds, and none where there was less than half a second of it', () => {
  assert.equal(perSecond(30, { first: 2, last: 2 }, 3), 30);
  assert.equal(perSecond(30, { first: 2, last: 2 }, 2.5), 60);
  assert.equal(perSecond(30, { first: 2, last: 2 }, 2.4), null);
  assert.equal(perSecond(30, { first: 2, last: 3 }, 3.5), 20);
  assert.equal(perSecond(30, { first: 3, last: 3 }, 3), null);
  // All of the load took less than that.
  assert.equal(perSecond(30, { first: 0, last: 0 }, 0.25), 120);
  assert.equal(perSecond(0, { first: 0, last: 0 }, 0), null);
});
