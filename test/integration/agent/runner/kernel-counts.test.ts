/** What Muster says it did, against what the kernel counted of the threads that did it: exactly that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { assignmentOf, stageOf } from '../../../support/runner-process.js';
import { usageOfStage } from '../../../support/runner-usage.js';
import type { StageUsage } from '../../../support/runner-usage.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';
import { whyNotDirect } from '../../../bench/target.js';
import type { StageAssignment } from '../../../../src/shared/model/assignment.js';

const maxOperations = 20_000;
const blockSizeBytes = 16_384;
const unlimited = { maxOperations, durationMs: undefined };
const reads = [{ operation: 'read', weight: 1 }] as const;
const both = [...reads, { operation: 'write', weight: 1 }] as const;
/** A thread of Node is woken by a counter of so many bytes, which others write and it reads. */
const wakeUpBytes = 8;

function folderOf(t: TestContext): string {
  const folder = temporaryFolder();
  t.after(folder.remove);
  return folder.path;
}

function usage(
  target: string,
  stage: Partial<StageAssignment>,
  asynchronous = 0,
): Promise<StageUsage> {
  return usageOfStage(assignmentOf(target, [stageOf({ ...unlimited, ...stage })]), asynchronous);
}

/** Operations and bytes that the result has of the operation; none when it has no such operation. */
function told({ result }: StageUsage, operation: string): { count: number; bytes: number } {
  const stats = result.operations.find((one) => one.operation === operation);
  assert.deepEqual(stats?.errors ?? [], []);
  return { count: stats?.count ?? 0, bytes: stats?.bytes ?? 0 };
}

/** All that the kernel counted more than we say are calls of 8 bytes: threads that wake each other. */
function assertExact(usage: StageUsage): void {
  const { syscr, rchar, syscw, wchar } = usage.threads;
  const [read, write] = [told(usage, 'read'), told(usage, 'write')];
  assert.equal(read.count + write.count, maxOperations);
  for (const [calls, bytes, said] of [
    [syscr, rchar, read],
    [syscw, wchar, write],
  ] as const) {
    const wakeUps = calls - said.count;
    const seen = JSON.stringify({ calls, bytes, said });
    assert.ok(wakeUps >= 0, seen);
    assert.equal(bytes - said.bytes, wakeUps * wakeUpBytes, seen);
  }
}

test('[MEAS-01] blocking reads and writes: every call and every byte is one that the kernel counted of the workers', async (t) => {
  const used = await usage(folderOf(t), { mix: both, blockSizeBytes, threads: 3 });
  assert.equal(used.result.mechanism, 'psync');
  assertExact(used);
  // A worker that is at work hears nothing and says nothing.
  const { syscr, syscw } = used.threads;
  assert.ok(syscr + syscw - maxOperations <= 10 * 3, `${syscr} + ${syscw} calls`);
});

test('[MEAS-01] an iodepth on the pool of threads: the same', async (t) => {
  const deep = { mix: both, blockSizeBytes, threads: 2, iodepth: 8 };
  // With nothing asynchronous to come, the environment turns the rings off.
  const used = await usage(folderOf(t), deep);
  assert.match(used.result.mechanism, /^thread pool \(4\) iodepth 8/);
  assertExact(used);
});

test('[MEAS-01] an iodepth on io_uring: as many as went through the rings, and as many bytes as came from the device', async (t) => {
  const target = folderOf(t);
  const noDirect = whyNotDirect(target);
  const deep = { threads: 2, iodepth: 8, direct: noDirect === undefined };
  const used = await usage(target, deep, 16);
  if (!used.result.mechanism.startsWith('io_uring')) {
    t.skip(`this Node or kernel does it otherwise: ${used.result.mechanism}`);
    return;
  }
  const read = told(used, 'read');
  assert.equal(read.count, maxOperations);
  assert.equal(used.submissions, read.count);
  if (noDirect !== undefined) t.diagnostic(`bytes not compared: ${noDirect}`);
  else {
    // Threads of the kernel that have ended are only in the sum of the process, which may also load a page of code.
    const { threads, process } = used;
    const seen = `${threads.read_bytes} ≤ ${read.bytes} ≤ ${process.read_bytes}`;
    assert.ok(threads.read_bytes <= read.bytes && read.bytes <= process.read_bytes, seen);
    assert.ok(process.read_bytes <= read.bytes * 1.01, seen);
  }
});
