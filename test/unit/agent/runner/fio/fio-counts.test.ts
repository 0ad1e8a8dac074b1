import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FioCounts } from '../../../../../src/agent/runner/fio/fio-counts.js';
import { FioOutput } from '../../../../../src/agent/runner/fio/status.js';
import type { FioStatus } from '../../../../../src/agent/runner/fio/status.js';
import { Histogram } from '../../../../../src/shared/metrics/histogram.js';

interface Numbers {
  readonly bins: Readonly<Record<string, number>>;
  readonly ios: number;
  readonly errors?: number;
  /** Of the syncs, by job. */
  readonly syncs?: readonly Readonly<Record<string, number>>[];
}

/** As `fio --output-format=json+` prints it, two jobs of which the second does nothing. */
function document({ bins, ios, errors = 0, syncs = [] }: Numbers): string {
  const idle = { io_bytes: 0, total_ios: 0, runtime: 0, lat_ns: { N: 0 } };
  const read = { io_bytes: ios * 4096, total_ios: ios, runtime: 2001, lat_ns: { bins } };
  const failed = errors > 0 ? { total_err: errors, first_error: 5 } : {};
  const jobs = [
    { error: 0, ...failed, read, write: idle },
    { error: 0, read: idle, write: idle },
  ].map((job, index) => ({ ...job, sync: { total_ios: 0, lat_ns: { N: 0, bins: syncs[index] } } }));
  return `${JSON.stringify({ 'fio version': 'fio-3.33', jobs }, undefined, 2)}\n`;
}

function readAll(text: string, piece = text.length): { statuses: FioStatus[]; lines: string[] } {
  const statuses: FioStatus[] = [];
  const lines: string[] = [];
  const output = new FioOutput(
    (status) => statuses.push(status),
    (line) => lines.push(line),
  );
  for (let at = 0; at < text.length; at += piece) output.feed(text.slice(at, at + piece));
  return { statuses, lines };
}

test('documents are read from output in any pieces, and the lines between them apart', () => {
  const text = `t0 : Saving output\n${document({ bins: { '500': 3 }, ios: 4 })}\nfio: a word\n${document({ bins: { '500': 5 }, ios: 6 })}`;
  const whole = readAll(text);
  assert.deepEqual(whole.lines, ['t0 : Saving output', 'fio: a word']);
  assert.deepEqual(
    whole.statuses.map((status) => status.kinds.get('read')?.issued),
    [4, 6],
  );
  assert.deepEqual(readAll(text, 7), whole);
});

test('[MEAS-01] samples add up to the totals, bucket by bucket, and counts are those of the histograms', () => {
  const counts = new FioCounts(['read']);
  const sum = new Histogram();
  let sampled = 0;
  for (const numbers of [
    { bins: { '500': 3, '900': 1 }, ios: 6 },
    { bins: { '500': 7, '900': 1, '12000': 2 }, ios: 10 },
    { bins: { '500': 7, '900': 1, '12000': 2 }, ios: 10 },
  ]) {
    for (const status of readAll(document(numbers)).statuses) counts.take(status);
    const [read] = counts.sample();
    assert.ok(read);
    const service = Histogram.decode(read.service);
    sampled += service.count;
    assert.equal(read.count, sampled, 'cumulative');
    sum.merge(service);
  }
  const [total] = counts.totals();
  assert.ok(total);
  assert.equal(total.count, 10);
  assert.deepEqual(total.service, sum.encode());
  assert.equal(total.bytes, 10 * 4096);
  assert.equal(counts.runtimeNs, 2001e6);
});

test('what was issued and has not ended is in flight; failed operations have ended', () => {
  const counts = new FioCounts(['read']);
  const { statuses } = readAll(document({ bins: { '500': 3 }, ios: 20, errors: 2 }));
  for (const status of statuses) counts.take(status);
  assert.equal(counts.inFlight, 15);
  assert.equal(counts.ended, 5);
  assert.deepEqual(counts.totals()[0]?.errors, [{ code: 'EIO', count: 2 }]);
});

test('before fio has said anything everything is zero', () => {
  const counts = new FioCounts(['read', 'write']);
  assert.deepEqual(
    counts.sample().map(({ operation, count }) => [operation, count]),
    [
      ['read', 0],
      ['write', 0],
    ],
  );
  assert.equal(counts.inFlight, 0);
});

test('[ENG-02] syncs are apart from the operations, added up over the jobs; none leave nothing to report', () => {
  const counts = new FioCounts(['read']);
  const take = (numbers: Numbers): void => {
    for (const status of readAll(document(numbers)).statuses) counts.take(status);
  };
  assert.equal(counts.syncs().length, 0);
  take({ bins: { '500': 3 }, ios: 3 });
  assert.equal(counts.syncs().length, 0);
  take({ bins: { '500': 3 }, ios: 3, syncs: [{ '70000': 2 }, { '70000': 1, '900000': 1 }] });
  const expected = new Histogram();
  expected.record(70_000, 3);
  expected.record(900_000);
  assert.deepEqual(counts.syncs(), expected.encode());
  assert.equal(counts.ended, 3);
});

test('[MEAS-01] bytes are those of the operations that are counted, where all move the same; else fio’s', () => {
  // fio's bytes are of the operations before.
  const late = document({ bins: { '500': 8 }, ios: 6 });
  const bytesBy = (counts: FioCounts): number | undefined => {
    for (const status of readAll(late).statuses) counts.take(status);
    return counts.sample()[0]?.bytes;
  };
  assert.equal(bytesBy(new FioCounts(['read'], () => 4096)), 8 * 4096);
  assert.equal(bytesBy(new FioCounts(['read'])), 6 * 4096);
});
