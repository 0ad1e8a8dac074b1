import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatDuration,
  formatSize,
  parseCount,
  parseDecimal,
  parseDuration,
  parseDurationNs,
  parseSize,
} from '../../../../src/shared/model/units.js';
import type { Parsed } from '../../../../src/shared/model/units.js';

type Rows = readonly (readonly [string | number, number | RegExp])[];

function check(parse: (input: string | number) => Parsed, rows: Rows): void {
  for (const [input, expected] of rows) {
    const parsed = parse(input);
    if (typeof expected === 'number') assert.deepEqual(parsed, { value: expected }, String(input));
    else assert.match('problem' in parsed ? parsed.problem : 'accepted', expected, String(input));
  }
}

test('sizes are bytes, powers of 1000 or powers of 1024, exactly', () => {
  check(parseSize, [
    [4096, 4096],
    ['4096', 4096],
    ['4096B', 4096],
    ['4KiB', 4096],
    ['4 kib', 4096],
    ['4KB', 4000],
    ['1.5GiB', 1.5 * 1024 ** 3],
    ['1.1GB', 1_100_000_000],
    ['1_000MB', 1e9],
    ['1TiB', 1024 ** 4],
    ['1PB', 1e15],
  ]);
});

test('what is no size, ambiguous, fractional or too large is refused in words', () => {
  check(parseSize, [
    ['4K', /"4K" is ambiguous; write KB \(powers of 1000\) or KiB/],
    ['1gi', /write GB/],
    ['4 parsecs', /not a size/],
    ['', /not a size/],
    ['-1', /not a size/],
    [-1, /not a size/],
    ['1.5', /not a whole number of bytes/],
    ['1.1KiB', /not a whole number of bytes/],
    ['1__0', /not a size/],
    ['9PiB', /too large/],
    [Number.NaN, /not a size/],
  ]);
});

test('durations need a unit, add up, and are exact', () => {
  check(parseDuration, [
    ['500ms', 500],
    ['60s', 60_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    ['1m30s', 90_000],
    ['0', 0],
    [0, 0],
    [60, /60 has no unit; write 60s or 60ms/],
    ['60', /no unit/],
    ['5 s', 5000],
    ['1 m 30 s', 90_000],
    ['1m 30s', 90_000],
    ['5  s', /not a duration/],
    ['5 5s', /not a duration/],
    ['5 minutes', /not a duration/],
    ['5min', /not a duration/],
    ['s', /not a duration/],
    ['-5s', /not a duration/],
    ['100us', /not a whole number of milliseconds/],
    ['99999999999h', /too large/],
  ]);
  check(parseDurationNs, [
    ['250us', 250_000],
    ['250µs', 250_000],
    ['5 ms', 5_000_000],
    ['1.5ns', /not a whole number of nanoseconds/],
  ]);
});

test('counts may have an exponent or underscores', () => {
  check(parseCount, [
    [64, 64],
    ['1e6', 1_000_000],
    ['1.5e3', 1500],
    ['1_000_000', 1_000_000],
    [1e15, 1e15],
    ['1.5', /not a whole number/],
    [1.5, /not a whole number/],
    ['many', /not a count/],
    ['1e17', /too large/],
    [-1, /not a count/],
  ]);
});

test('a number may have up to three decimals', () => {
  check(parseDecimal, [
    ['0.5', 0.5],
    [0.001, 0.001],
    ['1.5e3', 1500],
    ['1_000.25', 1000.25],
    ['1e9', 1e9],
    ['0.0001', /not a whole number of thousandths/],
    ['.5', /not a number; write it like 20000, 0\.5/],
    [-1, /not a number/],
    ['1e14', /too large/],
  ]);
});

test('what is printed reads back as the same number', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat({ max: 1e12 }), (bytes, ms) => {
      assert.deepEqual(parseSize(formatSize(bytes)), { value: bytes });
      assert.deepEqual(parseDuration(formatDuration(ms)), { value: ms });
    }),
  );
  assert.equal(formatSize(1024 ** 2), '1MiB');
  assert.equal(formatSize(1000), '1KB');
  assert.equal(formatSize(0), '0B');
  assert.equal(formatDuration(90_000), '90s');
});
