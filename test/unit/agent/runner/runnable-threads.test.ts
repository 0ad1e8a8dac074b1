import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { runnableThreads, StarvationWatch } from '../../../../src/agent/runner/runnable-threads.js';
import { eventually } from '../../../support/eventually.js';

const spin = 'for (;;);';
const sleep = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';

async function withThreads(code: string, count: number, then: () => Promise<void>): Promise<void> {
  const start = `require('node:worker_threads').parentPort.postMessage(''); ${code}`;
  const workers = Array.from({ length: count }, () => new Worker(start, { eval: true }));
  await Promise.all(workers.map((worker) => new Promise((run) => worker.once('message', run))));
  try {
    await then();
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

test('[MEAS-06] threads that want a CPU are counted, whether they have one or not', async () => {
  await withThreads(spin, 4, () =>
    eventually('four', 60_000, () => runnableThreads() >= 4 || undefined).then(() => undefined),
  );
});

test('[MEAS-06] threads that wait for something else are not, however busy the host is', async () => {
  await withThreads(sleep, 8, async () => {
    await eventually('asleep', 60_000, () => runnableThreads() < 4 || undefined);
  });
});

test('[MEAS-06] they are counted in the drain, and while operations in flight do not complete', () => {
  const watch = new StarvationWatch(() => 7);
  const look = (operations: number, inFlight: number, isDraining = false): number =>
    watch.look({ operations, inFlight, oldestInFlightNs: 0 }, isDraining);
  assert.equal(look(10, 4), 0);
  assert.equal(look(11, 4), 0, 'one has completed');
  assert.equal(look(11, 4), 7);
  assert.equal(look(11, 0), 0, 'none is in flight');
  assert.equal(look(12, 4, true), 7);
});
