/** Sizes that need not all be the same, in bytes. */
export type SizeSpec =
  | number
  | { readonly uniform: readonly [min: number, max: number] }
  /** Mean and standard deviation of the sizes themselves, before those outside of min … max are drawn again. */
  | {
      readonly lognormal: {
        readonly mean: number;
        readonly sd: number;
        readonly min: number;
        readonly max: number;
      };
    }
  | { readonly weighted: readonly WeightedSize[] };

export interface WeightedSize {
  readonly size: number;
  readonly weight: number;
}

export function smallestSize(spec: SizeSpec): number {
  return Math.min(...landmarks(spec));
}

export function largestSize(spec: SizeSpec): number {
  return Math.max(...landmarks(spec));
}

/** Every size is a multiple of it: the greatest common divisor of the sizes or bounds that the spec names. */
export function grainOf(spec: SizeSpec): number {
  return landmarks(spec).reduce(greatestCommonDivisor);
}

/** What many files are long on average; of a lognormal distribution roughly, its cut ends left out of account. */
export function meanSize(spec: SizeSpec): number {
  if (typeof spec === 'number') return spec;
  if ('uniform' in spec) return (spec.uniform[0] + spec.uniform[1]) / 2;
  if ('lognormal' in spec) {
    const { mean, min, max } = spec.lognormal;
    return Math.min(max, Math.max(min, mean));
  }
  const total = spec.weighted.reduce((sum, { weight }) => sum + weight, 0);
  return spec.weighted.reduce((sum, { size, weight }) => sum + (size * weight) / total, 0);
}

/** The sizes that a spec names: all that there are, or the bounds. */
function landmarks(spec: SizeSpec): readonly number[] {
  if (typeof spec === 'number') return [spec];
  if ('uniform' in spec) return spec.uniform;
  if ('lognormal' in spec) return [spec.lognormal.min, spec.lognormal.max];
  return spec.weighted.map(({ size }) => size);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
