/** Two-sided 95 %: the normal quantile of 0.975. */
const z = 1.959_963_985;

/** From this many seconds on, neighbouring seconds are put together: what one second has of the one before averages out. */
const batchFrom = 20;
const batches = 10;
/** With fewer values there is no telling. */
const leastValues = 4;

/**
 * How far the difference of two means may be off, with 95 % confidence: half the width of Welch's interval for series of
 * unequal variance. Long series are taken as the means of ten batches, as their values are not independent (Law & Kelton,
 * Simulation Modeling and Analysis, batch means). Undefined: too few values.
 */
export function differenceBound(a: readonly number[], b: readonly number[]): number | undefined {
  if (a.length < leastValues || b.length < leastValues) return undefined;
  const [one, other] = [spread(batched(a)), spread(batched(b))];
  const variance = one.ofMean + other.ofMean;
  if (variance === 0) return 0;
  // Welch-Satterthwaite
  const freedom =
    variance ** 2 / (one.ofMean ** 2 / (one.count - 1) + other.ofMean ** 2 / (other.count - 1));
  return quantile(freedom) * Math.sqrt(variance);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Student's t for 0.975 (Abramowitz & Stegun 26.7.5); within 1 % from 3 degrees of freedom on. */
function quantile(freedom: number): number {
  const [z3, z5, z7] = [z ** 3, z ** 5, z ** 7];
  return (
    z +
    (z3 + z) / (4 * freedom) +
    (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom ** 3)
  );
}

function batched(values: readonly number[]): readonly number[] {
  if (values.length < batchFrom) return values;
  return Array.from({ length: batches }, (_, batch) => {
    const at = (edge: number): number => Math.floor((edge * values.length) / batches);
    return mean(values.slice(at(batch), at(batch + 1)));
  });
}

function spread(values: readonly number[]): { count: number; ofMean: number } {
  const average = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
  const count = values.length;
  return { count, ofMean: squares / (count - 1) / count };
}
