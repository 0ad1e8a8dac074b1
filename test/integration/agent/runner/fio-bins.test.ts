/** Our histogram of fio's latency buckets, against the percentiles that fio computes of them itself. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { FioCounts } from '../../../../src/agent/runner/fio/fio-counts.js';
import { FioOutput } from '../../../../src/agent/runner/fio/status.js';
import { Histogram } from '../../../../src/shared/metrics/histogram.js';
import { lacksFio } from '../../../support/fio.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

/** fio's buckets are 1/64 of a power of two wide, and it names their middles; ours add 0.1 %. */
const within = 1 / 64;

interface Document {
  readonly jobs: readonly {
    readonly read: {
      readonly total_ios: number;
      readonly lat_ns: {
        readonly mean: number;
        readonly percentile: Readonly<Record<string, number>>;
      };
    };
  }[];
}

test('[MEAS-01] [ENG-02] fio’s buckets of several jobs are merged to the number, the mean and the percentiles that fio finds', (t) => {
  if (lacksFio(t)) return;
  const argv = ['--name=n', '--ioengine=null', '--rw=randread', '--bs=4k', '--size=16m'];
  const latencies = ['--lat_percentiles=1', '--clat_percentiles=0', '--percentile_list=50:90:99'];
  const jobs = ['--thread', '--numjobs=3', '--output-format=json+'];
  const read = (more: readonly string[]): { document: Document; ours: Histogram } => {
    const text = execFileSync('fio', [...argv, ...latencies, ...jobs, ...more], {
      encoding: 'utf8',
    });
    const counts = new FioCounts(['read']);
    const output = new FioOutput(
      (status) => {
        counts.take(status);
      },
      () => undefined,
    );
    output.feed(text);
    const [stats] = counts.totals();
    assert.ok(stats);
    const ours = Histogram.decode(stats.service);
    assert.equal(ours.count, stats.count);
    return { document: JSON.parse(text.slice(text.indexOf('{'))) as Document, ours };
  };

  const { document, ours } = read(['--group_reporting']);
  const [job] = document.jobs;
  assert.ok(job);
  const { total_ios: operations, lat_ns: theirs } = job.read;
  assert.equal(ours.count, operations);
  assert.equal(operations, (3 * 16 * 1024) / 4);
  assertClose(ours.mean, theirs.mean, 'mean');
  for (const p of [50, 90, 99]) {
    assertClose(ours.percentile(p), theirs.percentile[`${p}.000000`], `p${p}`);
  }

  const apart = read([]);
  assert.equal(apart.document.jobs.length, 3);
  assert.equal(apart.ours.count, operations, 'jobs that are not reported together are added up');
  const means = apart.document.jobs.map((one) => one.read.lat_ns.mean);
  assertClose(
    apart.ours.mean,
    means.reduce((sum, mean) => sum + mean / 3, 0),
    'mean of three',
  );
});

test('[ENG-02] fio’s own times of its syncs are merged to the number, the mean and the longest that fio finds', (t) => {
  if (lacksFio(t)) return;
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const file = ['--name=s', `--directory=${folder.path}`, '--rw=write', '--bs=4k'];
  const syncs = ['--size=1m', '--fsync=4', '--lat_percentiles=1', '--clat_percentiles=0'];
  const argv = [...file, ...syncs, '--thread', '--numjobs=2', '--output-format=json+'];
  const text = execFileSync('fio', argv, { encoding: 'utf8' });
  const { jobs } = JSON.parse(text.slice(text.indexOf('{'))) as {
    readonly jobs: readonly { readonly sync: { readonly lat_ns: SyncLatencies } }[];
  };
  const counts = new FioCounts(['write']);
  const output = new FioOutput(
    (status) => {
      counts.take(status);
    },
    () => undefined,
  );
  output.feed(text);
  const ours = Histogram.decode(counts.syncs());
  // Of 256 writes each, the last of which is not followed by one.
  assert.equal(ours.count, 2 * 63);
  assert.equal(counts.ended, 2 * 256, 'no sync is counted as an operation');
  const mean = jobs.reduce((sum, { sync }) => sum + sync.lat_ns.mean / jobs.length, 0);
  assertClose(ours.mean, mean, 'mean');
  const most = Math.max(...jobs.map(({ sync }) => sync.lat_ns.max));
  assertClose(ours.percentile(100), most, 'max');
});

interface SyncLatencies {
  readonly mean: number;
  readonly max: number;
}

function assertClose(ours: number, theirs: number | undefined, what: string): void {
  assert.ok(
    theirs !== undefined && Math.abs(ours / theirs - 1) <= within,
    `${what}: ${ours}, fio ${theirs}`,
  );
}
