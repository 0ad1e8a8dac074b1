/**
 * The one bucket layout of every latency histogram: HdrHistogram's, for 1 ns … 1 h at three significant digits.
 * Values below 2048 have a bucket each; above, every power of two is divided into 1024 buckets, so a bucket is never
 * wider than 1/1024 of its lowest value. Source: HdrHistogram (Gil Tene), `subBucketCount` 2048, unit magnitude 0.
 */

/** Number of buckets: (32 powers of two + 1) × 1024. The last one ends at 2^42 - 1 ns, above one hour. */
export const bucketCount = 33_792;

/** The largest value that is told apart, one hour; longer ones are recorded as one hour. */
export const highestTrackableNs = 3_600_000_000_000;

/** Version of layout and encoding, the first byte of an encoded histogram. */
export const layoutVersion = 1;

/** The bucket of a latency in ns. Negative values count as 0, values above an hour as one hour. Hot path. */
export function bucketIndexOf(ns: number): number {
  if (ns < 2048) return ns > 0 ? ns | 0 : 0;
  if (ns < 2_147_483_648) {
    const shift = 21 - Math.clz32(ns);
    return (shift << 10) + (ns >> shift);
  }
  // Bits 21 and up fit an int32 again; the buckets here are at least 2^21 wide, so nothing is lost.
  const high = ((ns < highestTrackableNs ? ns : highestTrackableNs) / 2_097_152) | 0;
  const shift = 21 - Math.clz32(high);
  return ((shift + 21) << 10) + (high >> shift);
}

/** 2^0 … 2^31; the power operator is a call to pow() and ten times slower. */
const powersOfTwo = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** exponent);

/** Lowest value of a bucket, ns. */
export function lowestOf(index: number): number {
  if (index < 2048) return index;
  const shift = (index >> 10) - 1;
  return (index - (shift << 10)) * (powersOfTwo[shift] ?? NaN);
}

/** Highest value of a bucket, ns. */
export function highestOf(index: number): number {
  return index < 2048 ? index : lowestOf(index) + (powersOfTwo[(index >> 10) - 1] ?? NaN) - 1;
}

/** The value that stands for a bucket in a mean, HdrHistogram's "median equivalent value". */
export function middleOf(index: number): number {
  return index < 2048 ? index : lowestOf(index) + (powersOfTwo[(index >> 10) - 2] ?? NaN);
}
