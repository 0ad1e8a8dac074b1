import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThreadUsage } from '../../../../src/agent/runner/thread-usage.js';
import { GcTime } from '../../../../src/agent/runner/gc-time.js';
import { eventually } from '../../../support/eventually.js';

test('[MEAS-06] the busiest thread is the one that works', () => {
  const usage = new ThreadUsage();
  const before = process.cpuUsage();
  // By its own CPU time: how long that takes on a busy machine is another matter.
  while (process.cpuUsage(before).user + process.cpuUsage(before).system < 200_000);
  const share = usage.busiest(0.2);
  assert.ok(share > 0.7 && share <= 1, String(share));
  assert.ok(usage.busiest(10) < 0.1, 'only what is new counts');
});

test('[MEAS-06] time in garbage collection is counted once', async () => {
  const gc = new GcTime();
  let ns = 0;
  await eventually('a garbage collection', 30_000, () => {
    Array.from({ length: 1e5 }, (_, i) => ({ i }));
    ns = gc.take();
    return ns > 0 ? true : undefined;
  });
  assert.ok(ns < 30e9);
});
