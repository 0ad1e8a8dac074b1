import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { runnableThreads } from '../../../../src/agent/runner/runnable-threads.js';
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
