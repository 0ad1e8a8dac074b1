/** A coarse alarm in every `npm test`; what is reached, and the floors of it, are the matter of `npm run bench`. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { randomRead, runFio } from '../../../bench/fio-side.js';
import { measurePairs, spreadOf } from '../../../bench/measure.js';
import type { Figures, Pair } from '../../../bench/measure.js';
import { benchAssignment, benchFile, latencyOf, makeFile } from '../../../bench/muster-side.js';
import { whyNotDirect } from '../../../bench/target.js';
import type { Assignment } from '../../../../src/shared/model/assignment.js';
import { lacksFio } from '../../../support/fio.js';
import { stageOf } from '../../../support/runner-process.js';
import { usageOfStage } from '../../../support/runner-usage.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const fileSizeBytes = 16 * 1024 * 1024;
const seconds = 1;

async function figuresOf(assignment: Assignment): Promise<Figures> {
  const { result, cpuNs } = await usageOfStage(assignment);
  const [stats] = result.operations;
  assert.ok(stats && stats.count > 0 && stats.errors.length === 0, JSON.stringify(stats?.errors));
  const wallNs = Number(result.lastOperationNs - result.firstOperationNs);
  const perSecond = (stats.count * 1e9) / wallNs;
  return { perSecond, cpuNsPerOperation: cpuNs / stats.count, ...latencyOf(stats.service) };
}

/** Ours and fio's on the same file, just written; undefined, and the test says so, where that cannot be. */
async function pairsOf(t: TestContext, direct: boolean, count: number): Promise<readonly Pair[]> {
  const folder = temporaryFolder();
  t.after(folder.remove);
  const noDirect = direct ? whyNotDirect(folder.path) : undefined;
  if (noDirect !== undefined) {
    t.skip(noDirect);
    return [];
  }
  const stage = stageOf({ threads: 1, durationMs: seconds * 1000, direct });
  const assignment = benchAssignment(folder.path, [stage], fileSizeBytes);
  await makeFile(assignment);
  const file = path.join(folder.path, benchFile);
  return measurePairs(
    count,
    () => figuresOf(assignment),
    () => runFio(file, { ...randomRead, direct }, seconds),
  );
}

/**
 * The median is between 0.4 times fio's and 2.5 times (`fs.readSync` alone adds half a microsecond to one). Of a device or a processor that others use, too, p99 says little: it is
 * told, and `npm run bench -- --only XCHECK` compares it with fio's own noise.
 */
function assertLatencies(t: TestContext, pairs: readonly Pair[]): void {
  const p50 = spreadOf(pairs.map(({ ours, theirs }) => ours.p50Ns / theirs.p50Ns));
  const p99 = spreadOf(pairs.map(({ ours, theirs }) => ours.p99Ns / theirs.p99Ns));
  const found = JSON.stringify({ p50, p99 });
  t.diagnostic(found);
  assert.ok(p50.median >= 0.4 && p50.median <= 2.5, found);
}

test('[LINK-17] [PERF-01] [MEAS-01] cached 4 KiB random reads: at least 0.4 of what fio does per CPU second, 0.3 per second, with latencies like its', async (t) => {
  if (lacksFio(t)) return;
  const pairs = await pairsOf(t, false, 5);
  const cpu = pairs.map(({ ours, theirs }) => theirs.cpuNsPerOperation / ours.cpuNsPerOperation);
  const speed = pairs.map(({ ours, theirs }) => ours.perSecond / theirs.perSecond);
  const found = JSON.stringify({ cpu, speed });
  t.diagnostic(found);
  // Caches and sibling threads that others use cost CPU time, too: 0.7 alone, 0.5 beside two busy loops on two cores.
  assert.ok(spreadOf(cpu).median >= 0.4, found);
  // Other processes may take the processor from either side at any time: one undisturbed pair is enough.
  assert.ok(spreadOf(speed).high >= 0.3, found);
  assertLatencies(t, pairs);
});

test('[MEAS-01] direct 4 KiB random reads: the latencies that fio finds', async (t) => {
  if (lacksFio(t)) return;
  const pairs = await pairsOf(t, true, 2);
  if (pairs.length > 0) assertLatencies(t, pairs);
});

test('[LINK-17] [PERF-06] an operation that does nothing costs at most four readings of the clock', async (t) => {
  const stage = stageOf({ threads: 1, durationMs: seconds * 1000 });
  const assignment = benchAssignment('null:', [stage], fileSizeBytes);
  const ratios: number[] = [];
  for (let i = 0; i < 3; i++) {
    const clockNs = clockCpuNs();
    ratios.push((await figuresOf(assignment)).cpuNsPerOperation / clockNs);
  }
  t.diagnostic(JSON.stringify(ratios));
  assert.ok(spreadOf(ratios).median <= 4, JSON.stringify(ratios));
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
