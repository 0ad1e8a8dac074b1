import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StageAssignment } from '../../../../../src/shared/model/assignment.js';
import type { Content } from '../../../../../src/shared/model/plan.js';
import { fioJob } from '../../../../../src/agent/runner/fio/job-file.js';
import { assignedStage as stage } from '../../../../support/fio.js';

function linesOf(change: Partial<StageAssignment>, content: Content = 'random') {
  return fioJob({ ...stage, ...change }, { files: 8, openFiles: 8, content }, 42).text.split('\n');
}

function has(change: Partial<StageAssignment>, ...lines: string[]): void {
  const all = linesOf(change);
  for (const line of lines) assert.ok(all.includes(line), `${line} in\n${all.join('\n')}`);
}

test('each of the stage’s keys is in the job file', () => {
  has({}, 'rw=randread', 'norandommap=1', 'bs=4096,4096', 'direct=0', 'nrfiles=8');
  has({}, 'randrepeat=0', 'randseed=42');
  has({ blockSizeBytes: 65_536, direct: true }, 'bs=65536,65536', 'direct=1');
  has({ blockSizes: { read: 4096, write: 65_536 } }, 'bs=4096,65536');
  has({ iodepth: 16, fio: { ioengine: 'libaio' } }, 'ioengine=libaio', 'iodepth=16');
  has({ sync: 'o_sync' }, 'sync=sync');
  has({ sync: 'o_dsync' }, 'sync=dsync');
  has({ fsync: 8, fdatasync: true }, 'fdatasync=8');
  has({ fsync: 'every' }, 'fsync=1');
  has({ fsync: 8 }, 'fsync=8');
  has({ fsync: 'end' }, 'end_fsync=1');
  assert.ok(!linesOf({}).some((line) => /fsync|zero_buffers/.test(line)));
  assert.ok(linesOf({}, 'zero').includes('zero_buffers=1'));
  const lines = linesOf({}, { compress: 4, dedup: 1.25 });
  assert.ok(lines.includes('buffer_compress_percentage=75'));
  assert.ok(lines.includes('dedupe_percentage=20'));
});

test('[ENG-02] whatever the stage: one process, files that are there, errors counted, latencies of all operations together', () => {
  has({}, 'thread=1', 'group_reporting=1', 'clat_percentiles=0', 'lat_percentiles=1');
  has({}, 'continue_on_error=all', 'allow_file_create=0', 'allow_mounted_write=0');
  has({}, 'filename_format=f.$filenum', 'openfiles=8');
  // Else what was drawn once is written again and again.
  assert.ok(linesOf({}, { compress: 2, dedup: 1 }).includes('refill_buffers=1'));
});

test('mix and access are fio’s words for the same load', () => {
  const mix = [
    { operation: 'read', weight: 3 },
    { operation: 'write', weight: 1 },
  ] as const;
  has({ mix }, 'rw=randrw', 'rwmixread=75');
  has({ mix: [mix[1]], access: 'sequential' }, 'rw=write');
  has({ mix, access: 'sequential' }, 'rw=rw');
  has({ access: { zipf: 1.2 } }, 'rw=randread', 'random_distribution=zipf:1.2');
  const hotspot = { data: 0.2, operations: 0.8 };
  has({ access: { hotspot } }, 'random_distribution=zoned:80/20:20/80');
  const all = linesOf({ access: { hotspot: { data: 1, operations: 0.5 } } });
  assert.ok(all.includes('norandommap=1') && !all.some((line) => /zoned/.test(line)));
  const shuffled = linesOf({ access: 'shuffled' });
  assert.ok(shuffled.includes('rw=randread') && !shuffled.includes('norandommap=1'));
});

test('without other limits the threads go on for the duration', () => {
  const lines = linesOf({});
  assert.equal(lines.filter((line) => line === 'time_based=1').length, 2);
  assert.equal(lines.filter((line) => line === 'runtime=5000ms').length, 2);
});

test('operations and bytes are divided over the threads; one that gets none is not started', () => {
  const { text, threads } = fioJob(
    { ...stage, maxOperations: 3 },
    { files: 8, openFiles: 8, content: 'zero' },
    1,
  );
  assert.equal(threads, 2);
  assert.match(
    text,
    /\[t0\]\nruntime=5000ms\nio_size=2147483648\nnumber_ios=2\n\[t1\]\nruntime=5000ms\nio_size=1073741824\nnumber_ios=1\n/,
  );
  assert.doesNotMatch(text, /time_based/);
  const one = fioJob(
    { ...stage, maxOperations: 1 },
    { files: 8, openFiles: 8, content: 'zero' },
    1,
  );
  assert.equal(one.threads, 1);
  assert.doesNotMatch(one.text, /\[t1\]|number_ios=0/);
  const bytes = linesOf({ maxBytes: 4 * 4096 + 100, durationMs: undefined });
  assert.equal(bytes.filter((line) => line === 'io_size=8192').length, 2);
  assert.ok(!bytes.some((line) => /number_ios|runtime/.test(line)));
});
