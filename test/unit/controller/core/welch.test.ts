import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differenceBound } from '../../../../src/controller/core/welch.js';
import { seeded } from '../../../support/recorded-run.js';

function near(value: number | undefined, expected: number, within: number): void {
  assert.ok(value !== undefined && Math.abs(value / expected - 1) < within, String(value));
}

test('[CLI-01] the bound of a difference is that of the textbook', () => {
  // Both series: mean square deviation 2.5, 5 values; 8 degrees of freedom, t = 2.306; √(0.5 + 0.5) = 1
  near(differenceBound([1, 2, 3, 4, 5], [11, 12, 13, 14, 15]), 2.306, 0.002);
  // Unequal variances: s² 2.5 and 250; Welch-Satterthwaite 4.08 degrees of freedom, t = 2.754
  near(differenceBound([1, 2, 3, 4, 5], [10, 20, 30, 40, 50]), 2.754 * Math.sqrt(50.5), 0.01);
});

test('[CLI-01] too few values have no bound, equal ones a bound of zero', () => {
  assert.equal(differenceBound([1, 2, 3], [1, 2, 3, 4]), undefined);
  assert.equal(differenceBound([5, 5, 5, 5], [7, 7, 7, 7]), 0);
});

test('[CLI-01] 95 % of the bounds hold the difference, also when a second is like the one before it', () => {
  const random = seeded(5);
  const series = (mean: number): number[] => {
    let drift = 0;
    return Array.from({ length: 200 }, () => {
      drift = 0.6 * drift + random() - 0.5;
      return mean + drift;
    });
  };
  const average = (values: readonly number[]): number =>
    values.reduce((a, b) => a + b, 0) / values.length;
  const rounds = 1000;
  let held = 0;
  for (let round = 0; round < rounds; round++) {
    const [a, b] = [series(10), series(11)];
    const bound = differenceBound(a, b) ?? 0;
    if (Math.abs(average(b) - average(a) - 1) <= bound) held += 1;
  }
  // Without batches it is 0.70.
  assert.ok(held / rounds > 0.92 && held / rounds < 0.98, String(held / rounds));
});
