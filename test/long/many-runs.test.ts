import { test } from 'node:test';
import { assertNoGrowth, manyRuns } from '../support/rehearsal/many-runs.js';

const runs = Number(process.env['MUSTER_LONG_RUNS'] ?? '200');

test(`[RPC-10] ${runs} runs in a row on the same agents leave no handle, no memory, no process and no file`, async (t) => {
  const histories = await manyRuns(t, runs);
  for (const history of histories) {
    assertNoGrowth(history, 8 * 2 ** 20);
    const mebibytes = history.map(({ residentBytes }) => Math.round(residentBytes / 2 ** 20));
    const { handles = 0, threads = 0 } = history.at(-1) ?? {};
    const every = Math.max(1, Math.floor(runs / 10));
    const some = mebibytes.filter((_, index) => index % every === every - 1);
    t.diagnostic(`memory ${some.join(', ')} MiB; ${handles} handles, ${threads} threads`);
  }
});
