import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fleet } from '../support/fleet.js';
import { makeAndRemove } from '../support/many-files.js';

const MiB = 1024 ** 2;
const [few, many] = [500, 100_000];
/** Above what heaps differ by from run to run (17 MiB were seen); 0.6 KiB for each file that an agent makes would be more. */
const mostGrowth = 28 * MiB;

test('[SAFE-03] [RUN-16] 100 000 files by two agents take no more memory than 500, show how far they are, and are all that is removed', async (t) => {
  const fleet = await Fleet.start(t, { count: 2 });
  const small = await makeAndRemove(fleet, few);
  const large = await makeAndRemove(fleet, many);
  const growth = {
    runner: (large.peakBytes - small.peakBytes) / MiB,
    agent: (large.agentPeakBytes - small.agentPeakBytes) / MiB,
  };
  t.diagnostic(JSON.stringify({ growth, large: { ...large, progress: large.progress.length } }));
  assert.ok(growth.runner * MiB < mostGrowth, `workload process grew by ${growth.runner} MiB`);
  assert.ok(growth.agent * MiB < mostGrowth, `agent grew by ${growth.agent} MiB`);
  const { progress } = large;
  assert.ok(
    progress.some((done) => done > 0 && done < 1),
    'told while it went on',
  );
  assert.ok(
    progress.every((done, i) => done >= (progress[i - 1] ?? 0)),
    progress.join(),
  );
});
