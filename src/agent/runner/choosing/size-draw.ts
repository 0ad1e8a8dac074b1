import { grainOf } from '../../../shared/model/sizes.js';
import type { SizeSpec } from '../../../shared/model/sizes.js';

/** Numbers in [0, 1). */
export interface Source {
  fraction(): number;
}

/** Draws one size after another; the source decides whether that is a stream or a function of something. Hot path. */
export type SizeDraw = (source: Source) => number;

/** A distribution that lies almost wholly outside its bounds is cut off rather than tried for ever. */
const mostTries = 64;

export function sizeDraw(spec: SizeSpec): SizeDraw {
  if (typeof spec === 'number') return () => spec;
  if ('uniform' in spec) return uniform(spec.uniform, grainOf(spec));
  if ('lognormal' in spec) return lognormal(spec.lognormal, grainOf(spec));
  return weighted(spec.weighted);
}

function uniform([min, max]: readonly [number, number], grain: number): SizeDraw {
  const sizes = (max - min) / grain + 1;
  return (source) => min + Math.floor(source.fraction() * sizes) * grain;
}

/** Box and Muller's transform; rounded to the nearest multiple of the grain. */
function lognormal(
  { mean, sd, min, max }: Extract<SizeSpec, { lognormal: unknown }>['lognormal'],
  grain: number,
): SizeDraw {
  const variance = Math.log1p((sd / mean) ** 2);
  const mu = Math.log(mean) - variance / 2;
  const sigma = Math.sqrt(variance);
  return (source) => {
    let size = mean;
    for (let i = 0; i < mostTries; i++) {
      const radius = Math.sqrt(-2 * Math.log(1 - source.fraction()));
      const normal = radius * Math.cos(2 * Math.PI * source.fraction());
      size = Math.round(Math.exp(mu + sigma * normal) / grain) * grain;
      if (size >= min && size <= max) return size;
    }
    return Math.min(max, Math.max(min, size));
  };
}

function weighted(list: readonly { readonly size: number; readonly weight: number }[]): SizeDraw {
  const total = list.reduce((sum, { weight }) => sum + weight, 0);
  let reached = 0;
  const bounds = Float64Array.from(list, ({ weight }) => (reached += weight) / total);
  bounds[bounds.length - 1] = Infinity;
  const sizes = Float64Array.from(list, ({ size }) => size);
  return (source) => {
    const draw = source.fraction();
    let i = 0;
    while (draw >= (bounds[i] ?? Infinity)) i++;
    return sizes[i] ?? 0;
  };
}
