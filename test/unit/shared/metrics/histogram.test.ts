import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { build } from 'hdr-histogram-js';
import {
  bucketCount,
  bucketIndexOf,
  highestOf,
  highestTrackableNs,
  lowestOf,
  middleOf,
} from '../../../../src/shared/metrics/bucket-layout.js';
import { Histogram, mergeEncoded } from '../../../../src/shared/metrics/histogram.js';
import type { Buckets } from '../../../../src/shared/metrics/buckets.js';
import {
  BucketRoom,
  HistogramFormatError,
} from '../../../../src/shared/metrics/histogram-encoding.js';

/** Latencies over all magnitudes, with the edges of buckets and of the int32 range. */
const latency = fc.oneof(
  fc.integer({ min: 0, max: 5000 }),
  fc
    .tuple(fc.integer({ min: 0, max: 41 }), fc.integer({ min: -2, max: 2 }))
    .map(([bits, delta]) => Math.min(Math.max(2 ** bits + delta, 0), highestTrackableNs)),
  fc.maxSafeInteger().map((n) => Math.abs(n) % highestTrackableNs),
);
const latencies = fc.array(latency, { minLength: 1, maxLength: 200 });

function oracle(values: readonly number[]) {
  const histogram = build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestTrackableNs,
    numberOfSignificantValueDigits: 3,
    autoResize: false,
    useWebAssembly: false,
  });
  for (const value of values) histogram.recordValue(value);
  return histogram;
}

function filled(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe('Histogram', () => {
  it('[MEAS-01] puts every value into the same bucket as hdr-histogram-js', () => {
    const hdr = oracle([1]) as unknown as {
      lowestEquivalentValue(value: number): number;
      highestEquivalentValue(value: number): number;
      medianEquivalentValue(value: number): number;
    };
    fc.assert(
      fc.property(latency, (value) => {
        const index = bucketIndexOf(value);
        assert.equal(lowestOf(index), hdr.lowestEquivalentValue(value));
        assert.equal(highestOf(index), hdr.highestEquivalentValue(value));
        assert.equal(middleOf(index), hdr.medianEquivalentValue(value));
      }),
      { numRuns: 3000 },
    );
  });

  it('[MEAS-01] gives the percentiles, count and mean of hdr-histogram-js for the same values', () => {
    fc.assert(
      fc.property(latencies, fc.double({ min: 0, max: 100, noNaN: true }), (values, anyP) => {
        const ours = filled(values);
        const theirs = oracle(values);
        for (const p of [0, 50, 90, 99, 99.9, 100, anyP]) {
          assert.equal(ours.percentile(p), theirs.getValueAtPercentile(p), `p${String(p)}`);
        }
        assert.equal(ours.count, theirs.totalCount);
        assert.ok(Math.abs(ours.mean - theirs.mean) <= theirs.mean * 1e-12);
      }),
    );
  });

  it('[MEAS-01] gives the same percentiles merged from parts as from the pooled values', () => {
    fc.assert(
      fc.property(fc.array(latencies, { minLength: 1, maxLength: 5 }), (parts) => {
        const merged = new Histogram();
        for (const part of parts) merged.merge(filled(part));
        const pooled = filled(parts.flat());
        for (const p of [1, 50, 99, 99.99]) {
          assert.equal(merged.percentile(p), pooled.percentile(p));
        }
        assert.deepEqual(merged.encode(), pooled.encode());
      }),
    );
  });

  it('[MEAS-01] survives its encoding unchanged and merges encoded forms associatively', () => {
    fc.assert(
      fc.property(latencies, latencies, latencies, (a, b, c) => {
        const [ea, eb, ec] = [filled(a).encode(), filled(b).encode(), filled(c).encode()];
        assert.deepEqual(Histogram.decode(ea).encode(), ea);
        assert.deepEqual(
          mergeEncoded(mergeEncoded(ea, eb), ec),
          mergeEncoded(ea, mergeEncoded(eb, ec)),
        );
        assert.deepEqual(mergeEncoded(ea, eb), filled([...a, ...b]).encode());
      }),
    );
  });

  it('keeps counts beyond 32 bits exactly', () => {
    const histogram = new Histogram();
    const many = 2 ** 40 + 12_345;
    histogram.record(777, many);
    histogram.record(highestTrackableNs, 3);
    const copy = Histogram.decode(histogram.encode());
    assert.equal(copy.count, many + 3);
    const seen: number[][] = [];
    copy.forEachBucket((low, high, count) => seen.push([low, high, count]));
    assert.deepEqual(seen[0], [777, 777, many]);
    assert.equal(seen[1]?.[2], 3);
  });

  for (const bits of [8, 16, 32]) {
    it(`keeps all counts when one grows beyond ${String(bits)} bits`, () => {
      const histogram = new Histogram();
      const most = 2 ** bits - 1;
      histogram.record(777, most);
      histogram.record(778, most);
      histogram.record(777);
      histogram.record(778, 2);
      histogram.record(779, 5);
      const seen: number[] = [];
      histogram.forEachBucket((_low, _high, count) => seen.push(count));
      assert.deepEqual(seen, [most + 1, most + 2, 5]);
    });
  }

  it('[PERF-07] decodes into room that is used again, each until the room is reset', () => {
    const room = new BucketRoom();
    const values = (buckets: Buckets): number[] => [...buckets.indexes.subarray(0, buckets.length)];
    const [few, many] = [
      [3, 7],
      [1, 2, 5, 9, 11],
    ].map((ns) => filled(ns).encode());
    const first = room.read(many ?? new Uint8Array());
    const second = room.read(few ?? new Uint8Array());
    assert.deepEqual(
      [values(first), values(second)],
      [
        [1, 2, 5, 9, 11],
        [3, 7],
      ],
    );
    room.reset();
    const larger = room.read(many ?? new Uint8Array());
    assert.deepEqual([values(larger), larger.total], [[1, 2, 5, 9, 11], 5]);
    room.reset();
    const smaller = room.read(few ?? new Uint8Array());
    assert.deepEqual([values(smaller), smaller.total], [[3, 7], 2]);
    assert.equal(smaller.indexes, larger.indexes, 'the same memory');
  });

  it('counts what lies outside the range in the first and last bucket', () => {
    assert.equal(bucketIndexOf(-5), 0);
    assert.equal(bucketIndexOf(Number.MAX_SAFE_INTEGER), bucketIndexOf(highestTrackableNs));
    assert.ok(bucketIndexOf(highestTrackableNs) < bucketCount);
  });

  it('encodes emptiness as no bytes, with zeros for every figure', () => {
    const empty = new Histogram();
    assert.equal(empty.encode().length, 0);
    const { count, min, max, mean } = Histogram.decode(new Uint8Array(0));
    assert.deepEqual({ count, min, max, mean }, { count: 0, min: 0, max: 0, mean: 0 });
    assert.equal(empty.percentile(99), 0);
  });

  it('refuses damaged encodings and stays unchanged', () => {
    const good = filled([1, 5, 1_000_000]).encode();
    const damaged: Uint8Array[] = [
      good.slice(0, -1),
      Uint8Array.of(2, ...good.slice(1)),
      Uint8Array.of(1, 5, 0),
      Uint8Array.of(1, 5, 1, 0, 1),
      Uint8Array.of(1, 255, 255, 127, 1),
      Uint8Array.of(1, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1),
    ];
    for (const bytes of damaged) {
      const target = filled([42]);
      assert.throws(() => {
        target.add(bytes);
      }, HistogramFormatError);
      assert.deepEqual(target.encode(), filled([42]).encode());
    }
  });

  it('never throws anything but a format error on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          Histogram.decode(bytes);
        } catch (error) {
          assert.ok(error instanceof HistogramFormatError);
        }
      }),
    );
  });

  it('decodes the documented example', () => {
    const bytes = Uint8Array.of(0x01, 0x64, 0x03, 0x9d, 0x10, 0x01);
    const seen: number[][] = [];
    Histogram.decode(bytes).forEachBucket((low, high, count) => seen.push([low, high, count]));
    assert.deepEqual(seen, [
      [100, 100, 3],
      [2306, 2307, 1],
    ]);
  });
});
