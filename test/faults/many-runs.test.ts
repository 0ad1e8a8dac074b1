import { test } from 'node:test';
import { assertNoGrowth, manyRuns } from '../support/rehearsal/many-runs.js';

// Few, so the memory of a young process may still grow; test/long has two hundred.
test('[RPC-10] runs in a row on the same agents leave no handle, no process and no file', async (t) => {
  for (const history of await manyRuns(t, 4)) assertNoGrowth(history, 64 * 2 ** 20);
});
