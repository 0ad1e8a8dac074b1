/**
 * What Muster says it did, against what the kernel counted of its process. Not with an iodepth: /proc/<pid>/io knows
 * nothing of io_uring.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { assignmentOf, stageOf } from '../../../support/runner-process.js';
import { usageOfStage } from '../../../support/runner-usage.js';
import type { StageUsage } from '../../../support/runner-usage.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';
import type { StageAssignment } from '../../../../src/shared/model/assignment.js';

const maxOperations = 100_000;
const blockSizeBytes = 16_384;
const unlimited = { maxOperations, durationMs: undefined };

async function usage(t: TestContext, stage: Partial<StageAssignment>): Promise<StageUsage> {
  const folder = temporaryFolder();
  t.after(folder.remove);
  return usageOfStage(assignmentOf(folder.path, [stageOf(stage)]));
}

/** Operations and bytes that the result has of the operation; 0 when it has none. */
function told({ result }: StageUsage, operation: string): { count: number; bytes: number } {
  const stats = result.operations.find((one) => one.operation === operation);
  assert.deepEqual(stats?.errors ?? [], []);
  return { count: stats?.count ?? 0, bytes: stats?.bytes ?? 0 };
}

/**
 * The kernel saw all of it, and little besides: what the process reads of itself once a second and its messages are few
 * bytes, but may be many calls where the machine is loaded and the stage takes long.
 */
function assertSeen(seen: number, said: number, what: 'calls' | 'bytes'): void {
  const most = said * { calls: 1.25, bytes: 1.01 }[what];
  assert.ok(seen >= said && seen <= most, `${what}: said ${said}, the kernel saw ${seen}`);
}

test('[MEAS-01] reads: as many and as many bytes as the kernel counted', async (t) => {
  const used = await usage(t, { ...unlimited, blockSizeBytes });
  const read = told(used, 'read');
  assert.deepEqual(read, { count: maxOperations, bytes: maxOperations * blockSizeBytes });
  assertSeen(used.kernel.syscr, read.count, 'calls');
  assertSeen(used.kernel.rchar, read.bytes, 'bytes');
  assert.ok(used.kernel.wchar < read.bytes / 100, `${used.kernel.wchar} bytes were written`);
});

test('[MEAS-01] reads and writes on several threads: each as the kernel counted them', async (t) => {
  const mix = [
    { operation: 'read', weight: 1 },
    { operation: 'write', weight: 1 },
  ] as const;
  const used = await usage(t, { ...unlimited, mix, blockSizeBytes, threads: 3 });
  const [read, write] = [told(used, 'read'), told(used, 'write')];
  assert.equal(read.count + write.count, maxOperations);
  assertSeen(used.kernel.syscr, read.count, 'calls');
  assertSeen(used.kernel.rchar, read.bytes, 'bytes');
  assertSeen(used.kernel.syscw, write.count, 'calls');
  assertSeen(used.kernel.wchar, write.bytes, 'bytes');
});
