/** A coarse alarm in every `npm test`; what is reached, and the floors of it, are the matter of `npm run bench`. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { fioRandomRead } from '../../../bench/fio-side.js';
import { measurePairs, spreadOf } from '../../../bench/measure.js';
import type { Figures } from '../../../bench/measure.js';
import { benchAssignment, benchFile, makeFile } from '../../../bench/muster-side.js';
import type { Assignment } from '../../../../src/shared/model/assignment.js';
import { lacksFio } from '../../../support/fio.js';
import { stageOf } from '../../../support/runner-process.js';
import { usageOfStage } from '../../../support/runner-usage.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const fileSizeBytes = 16 * 1024 * 1024;
const seconds = 1;

async function figuresOf(assignment: Assignment): Promise<Omit<Figures, 'p99Ns'>> {
  const { result, cpuNs } = await usageOfStage(assignment);
  const [stats] = result.operations;
  assert.ok(stats && stats.count > 0 && stats.errors.length === 0, JSON.stringify(stats?.errors));
  const wallNs = Number(result.lastOperationNs - result.firstOperationNs);
  return { perSecond: (stats.count * 1e9) / wallNs, cpuNsPerOperation: cpuNs / stats.count };
}

test('[LINK-17] cached 4 KiB random reads: at least 0.3 of what fio does, per CPU second and per second', async (t) => {
  if (lacksFio(t)) return;
  const folder = temporaryFolder();
  t.after(folder.remove);
  const stage = stageOf({ threads: 1, durationMs: seconds * 1000 });
  const assignment = benchAssignment(folder.path, [stage], fileSizeBytes);
  // Just written: it is in the page cache.
  await makeFile(assignment);
  const file = path.join(folder.path, benchFile);
  const pairs = await measurePairs(
    3,
    async () => ({ ...(await figuresOf(assignment)), p99Ns: 0 }),
    () => fioRandomRead(file, 1, seconds),
  );
  const cpu = pairs.map(({ ours, theirs }) => theirs.cpuNsPerOperation / ours.cpuNsPerOperation);
  const speed = pairs.map(({ ours, theirs }) => ours.perSecond / theirs.perSecond);
  const found = JSON.stringify({ cpu, speed });
  t.diagnostic(found);
  assert.ok(spreadOf(cpu).median >= 0.3, found);
  // Other processes may take the processor from either side at any time: one undisturbed pair is enough.
  assert.ok(spreadOf(speed).high >= 0.3, found);
});

test('[LINK-17] an operation that does nothing costs at most eight readings of the clock', async (t) => {
  const stage = stageOf({ threads: 1, durationMs: seconds * 1000 });
  const assignment = benchAssignment('null:', [stage], fileSizeBytes);
  const ratios: number[] = [];
  for (let i = 0; i < 3; i++) {
    const clockNs = clockCpuNs();
    ratios.push((await figuresOf(assignment)).cpuNsPerOperation / clockNs);
  }
  t.diagnostic(JSON.stringify(ratios));
  assert.ok(spreadOf(ratios).median <= 8, JSON.stringify(ratios));
});

/** CPU time of one reading of the clock, which is what the operation is made of. */
function clockCpuNs(): number {
  const reads = 3_000_000;
  const begin = process.cpuUsage();
  let sum = 0;
  for (let i = 0; i < reads; i++) sum += process.hrtime()[1];
  const { user, system } = process.cpuUsage(begin);
  assert.ok(sum > 0);
  return ((user + system) * 1000) / reads;
}
