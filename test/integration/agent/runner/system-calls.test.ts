/** What Muster says it did, against the system calls that strace saw: one for one, on the files that were meant. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { whyNoFio } from '../../../support/fio.js';
import { assignmentOf, stageOf } from '../../../support/runner-process.js';
import { callsIn, lacksStrace, tracedRunner } from '../../../support/strace.js';
import type { Call } from '../../../support/strace.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const fileBytes = 65_536;
const traced = ['pread64', 'pwrite64', 'openat', 'close', 'statx', '?unlink', 'unlinkat'];
const unlimited = { durationMs: undefined, maxOperations: 1000 };
const block = [
  { operation: 'read', weight: 2 },
  { operation: 'write', weight: 1 },
] as const;
const file = [
  { operation: 'put', weight: 3 },
  { operation: 'get', weight: 2 },
  { operation: 'stat', weight: 2 },
  { operation: 'delete', weight: 1 },
] as const;

/** Told apart by how much each call moves. */
const stages = [
  stageOf({ ...unlimited, mix: block, blockSizeBytes: 16_384, threads: 2 }),
  stageOf({ ...unlimited, mix: block, blockSizeBytes: 8192, threads: 2, iodepth: 8 }),
  stageOf({ ...unlimited, mix: file, blockSizeBytes: fileBytes, threads: 2 }),
];

/** What fio did is told by fio: it is compared as well, where there is one. */
const byFio = stageOf({
  durationMs: undefined,
  maxOperations: 500,
  mix: block,
  blockSizeBytes: 2048,
  threads: 2,
  fio: { ioengine: 'psync' },
});

interface Transfer extends Call {
  /** How much was asked for, from where; NaN of what transfers nothing. */
  readonly length: number;
  readonly offset: number;
}

function transferOf(call: Call): Transfer {
  const [, length, offset] = /, (\d+), (\d+)$/.exec(call.given) ?? [];
  return { ...call, length: Number(length), offset: Number(offset) };
}

/** A workload process under strace, a folder for its target, and the one where strace leaves what it saw. */
function tracedIn(t: TestContext, calls: readonly string[]) {
  const folder = temporaryFolder();
  t.after(folder.remove);
  const target = path.join(folder.path, 'target');
  const trace = path.join(folder.path, 'trace');
  for (const one of [target, trace]) fs.mkdirSync(one);
  const runner = tracedRunner(trace, calls);
  t.after(() => runner.kill());
  return { target, trace, runner };
}

test('[MEAS-01] [ENG-01] strace sees the system calls of every operation, and no others on the dataset', async (t) => {
  if (lacksStrace(t)) return;
  const { target, trace, runner } = tracedIn(t, traced);
  const noFio = whyNoFio();
  if (noFio !== undefined) t.diagnostic(`no stage that fio runs: ${noFio}`);
  const assignment = assignmentOf(target, noFio === undefined ? [...stages, byFio] : stages);
  const results = await runner.run(assignment);
  runner.tell({ kind: 'quit' });
  await runner.exited;

  const told = (stage: number, operation: string): number => {
    const stats = results[stage]?.operations.find((one) => one.operation === operation);
    assert.deepEqual(stats?.errors, []);
    return stats.count;
  };
  const calls = callsIn(trace).map(transferOf);
  const seen = (name: string, where: (call: Transfer) => boolean): number =>
    calls.filter((call) => call.name === name && where(call)).length;
  const onData = ({ file }: Call): boolean => file.startsWith(`${target}/ds1/0/data/f`);
  for (const { index: stage, blockSizeBytes: bytes, maxOperations } of assignment.stages) {
    if (stage === 2) continue;
    const isWhole = (call: Transfer): boolean =>
      onData(call) &&
      call.length === bytes &&
      call.result === bytes &&
      call.offset % bytes === 0 &&
      call.offset < fileBytes;
    assert.equal(seen('pread64', isWhole), told(stage, 'read'), `reads of stage ${stage}`);
    assert.equal(seen('pwrite64', isWhole), told(stage, 'write'), `writes of stage ${stage}`);
    assert.equal(told(stage, 'read') + told(stage, 'write'), maxOperations);
    // Two of three by the weights; five standard deviations of 1 000 draws are 0.075.
    const reads = told(stage, 'read') / (maxOperations ?? NaN);
    assert.ok(stage === 3 || Math.abs(reads - 2 / 3) < 0.075, `share of reads: ${String(reads)}`);
  }
  const [put, get, stat, remove] = file.map(({ operation }) => told(2, operation));
  assert.ok(put !== undefined && get !== undefined && stat !== undefined && remove !== undefined);
  // Each is relative to the working directory, unlike the files of the warm-up.
  const made = ({ file }: Call): boolean => file.startsWith('churn/0/');
  const inMade = ({ file }: Call): boolean => file.startsWith(`${target}/ds1/0/churn/0/`);
  const whole = ({ length, result }: Transfer): boolean =>
    length === fileBytes && result === fileBytes;
  assert.equal(seen('openat', made), put, 'creates');
  assert.equal(
    seen('pwrite64', (call) => inMade(call) && whole(call)),
    put,
    'writes of put',
  );
  assert.equal(seen('close', inMade), put, 'closes of put');
  const fio = noFio === undefined ? told(3, 'read') : 0;
  const allReads = told(0, 'read') + told(1, 'read') + get + fio;
  assert.equal(seen('pread64', onData), allReads, 'and no other reads');
  // Of what a link leads to, not of the link.
  const isStatOfData = ({ file, given }: Call): boolean =>
    file.startsWith('data/f') && !given.includes('AT_SYMLINK_NOFOLLOW');
  const stats = seen('statx', isStatOfData);
  assert.equal(stats, stat, 'stats');
  assert.equal(seen('unlink', made) + seen('unlinkat', made), remove, 'removals');
  // Each get opens one; every worker of the other stages has opened all, and the making of the dataset each once.
  const opened = seen('openat', ({ file }) => file.startsWith('data/f'));
  assert.equal(opened, get + 2 * 2 * 8 + 8, 'opens');
  // By the links that lead it to the files.
  const openedByFio = seen('openat', ({ file }) => /(^|\/)f\.\d+$/.test(file));
  assert.equal(seen('close', onData), opened + openedByFio, 'closes');
});

test('[MEAS-01] [ENG-01] strace sees the calls of list, rename, mkdir and rmdir, too, on names of the lanes’ own', async (t) => {
  if (lacksStrace(t)) return;
  const calledFor = ['openat', '?rename', 'renameat', '?mkdir', '?rmdir'];
  const { target, trace, runner } = tracedIn(t, calledFor);
  const kinds = ['list', 'put', 'rename', 'mkdir', 'rmdir'] as const;
  const mix = kinds.map((operation) => ({ operation, weight: 1 }));
  const [result] = await runner.run(
    assignmentOf(target, [stageOf({ ...unlimited, mix, blockSizeBytes: fileBytes, threads: 2 })]),
  );
  runner.tell({ kind: 'quit' });
  await runner.exited;
  const calls = callsIn(trace);
  const seen = (pattern: RegExp, file: RegExp): number =>
    calls.filter((call) => pattern.test(call.name) && file.test(call.file)).length;
  const told = result?.operations.map(({ operation, count }) => [operation, count]);
  assert.deepEqual(told, [
    ['list', seen(/^openat$/u, /^data$/u)],
    ['put', seen(/^openat$/u, /^churn\/0\/[01]\/p/u)],
    ['rename', seen(/^rename/u, /^churn\/0\/[01]\/p/u)],
    ['mkdir', seen(/^mkdir/u, /^churn\/0\/[01]\/d/u)],
    ['rmdir', seen(/^rmdir/u, /^churn\/0\/[01]\/d/u)],
  ]);
  assert.equal(
    told.reduce((sum, [, count]) => sum + Number(count), 0),
    unlimited.maxOperations,
  );
});
