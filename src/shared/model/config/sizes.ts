import { z } from 'zod';
import type { OperationKind } from '../operation.js';
import type { BlockSizes } from '../plan.js';
import { largestSize } from '../sizes.js';
import type { SizeSpec } from '../sizes.js';
import { formatSize } from '../units.js';
import { size } from './fields.js';

const weight = z
  .number({ error: 'must be a number' })
  .gt(0, { error: 'must be more than 0' })
  .max(1e6, { error: 'must be at most 1000000' })
  .meta({
    description: 'In a list: how often this size comes, compared with the others',
    unit: 'number',
    bounds: 'above 0, at most 1e6',
  });

interface Range {
  readonly min: number;
  readonly max: number;
}

const uniformOf = (range: Range) =>
  z
    .tuple([size(range), size(range)], { error: 'must be two sizes such as [4KiB, 1MiB]' })
    .refine(([min, max]) => min <= max, { error: 'the first must not be larger than the second' })
    .meta({
      description:
        'Every size from the first to the second that is a multiple of their greatest common divisor, evenly',
      unit: 'two sizes',
      fallback: 'not this way',
    });

const weightedSize = (range: Range) =>
  size(range).meta({ description: 'In a list: one of the sizes' });

const weightedOf = (range: Range) =>
  z
    .array(
      z.strictObject(
        { size: weightedSize(range), weight },
        { error: 'must be { size: …, weight: … }' },
      ),
      { error: 'must be a list such as [{ size: 4KiB, weight: 9 }, { size: 1MiB, weight: 1 }]' },
    )
    .min(1, { error: 'is empty' })
    .max(100, { error: 'has more than 100 entries' });

const lognormalOf = (range: Range) =>
  z
    .strictObject(
      {
        mean: size(range).meta({ description: 'Mean of the sizes' }),
        sd: size(range).meta({ description: 'Standard deviation of the sizes' }),
        min: size(range).meta({ description: 'Smaller ones are drawn again' }),
        max: size(range).meta({ description: 'Larger ones are drawn again' }),
      },
      { error: 'must be a mapping such as { mean: 64KiB, sd: 128KiB, min: 4KiB, max: 16MiB }' },
    )
    .refine(({ min, mean, max }) => min <= mean && mean <= max, {
      error: 'the mean must lie between min and max',
    });

/** A misspelt key is said once. */
const alone = {
  when: ({ issues }: { readonly issues: readonly unknown[] }) => issues.length === 0,
};

/** A size, `{ uniform: [min, max] }`, `{ lognormal: … }`, or a list of sizes with weights. */
export const fileSizesField = (range: Range) =>
  z.union(
    [
      size(range),
      z
        .strictObject(
          { uniform: uniformOf(range).optional(), lognormal: lognormalOf(range).optional() },
          { error: 'must be a mapping' },
        )
        .refine((given) => Object.keys(given).length === 1, {
          error: 'must have exactly one of uniform, lognormal',
          ...alone,
        }),
      weightedOf(range),
    ],
    {
      error:
        'must be a size such as 1MiB, a mapping such as { uniform: [4KiB, 1MiB] }, or a list such as [{ size: 4KiB, weight: 9 }]',
    },
  );

const blocks = (range: Range) =>
  z.union(
    [
      size(range),
      z.strictObject({ uniform: uniformOf(range) }, { error: 'must be a mapping' }),
      weightedOf(range),
    ],
    { error: 'must be a size such as 4KiB, { uniform: [4KiB, 64KiB] }, or a list of weights' },
  );

/** As for files, without lognormal; or one of these for `read` and one for `write`. */
export const blockSizesField = (range: Range) =>
  z.union(
    [
      size(range),
      z
        .strictObject(
          {
            uniform: uniformOf(range).optional(),
            read: blocks(range).optional().meta({
              description: 'Of reads; a size, a uniform range, or a list of weights',
              unit: 'size or sizes',
              fallback: 'as if `block_size` were not there',
            }),
            write: blocks(range).optional().meta({
              description: 'Of writes, likewise',
              unit: 'size or sizes',
              fallback: 'as if `block_size` were not there',
            }),
          },
          { error: 'must be a mapping' },
        )
        .refine(
          ({ uniform, read, write }) => (uniform === undefined) === ((read ?? write) !== undefined),
          { error: 'must have either uniform, or read and write', ...alone },
        ),
      weightedOf(range),
    ],
    {
      error:
        'must be a size such as 4KiB, a mapping such as { read: 4KiB, write: 64KiB } or { uniform: [4KiB, 64KiB] }, or a list such as [{ size: 4KiB, weight: 9 }]',
    },
  );

type Given = z.output<ReturnType<typeof fileSizesField>> | z.output<ReturnType<typeof blocks>>;

function resolveSizes(given: Given): SizeSpec {
  if (typeof given === 'number') return given;
  if (isList(given)) return { weighted: given };
  if ('lognormal' in given && given.lognormal !== undefined) return { lognormal: given.lognormal };
  const [min, max] = given.uniform ?? [0, 0];
  return min === max ? min : { uniform: [min, max] };
}

function resolveBlocks(
  given: z.output<ReturnType<typeof blockSizesField>> | undefined,
  fallback: number,
): BlockSizes {
  if (given === undefined) return { read: fallback, write: fallback };
  if (typeof given === 'number' || isList(given) || given.uniform !== undefined) {
    const both = resolveSizes(given);
    return { read: both, write: both };
  }
  const { read, write } = given;
  return {
    read: read === undefined ? fallback : resolveSizes(read),
    write: write === undefined ? fallback : resolveSizes(write),
  };
}

const isList = <T>(given: T): given is Extract<T, readonly unknown[]> => Array.isArray(given);

/** As the plan has it: the largest, and the spec when there is more than one size. */
export function planFileSizes(given: Given): {
  readonly fileSizeBytes: number;
  readonly fileSizes: SizeSpec | undefined;
} {
  const spec = resolveSizes(given);
  const fileSizes = typeof spec === 'number' ? undefined : spec;
  return { fileSizeBytes: largestSize(spec), fileSizes };
}

/**
 * The size of blocks that the stage does not read or write is that of those it does: it must not have a say in how limits
 * are divided. A get or put takes the larger of the two.
 * @param fallback block size where none is given
 */
export function planBlockSizes(
  given: z.output<ReturnType<typeof blockSizesField>> | undefined,
  fallback: number,
  kinds: readonly OperationKind[],
): { readonly blockSizeBytes: number; readonly blockSizes: BlockSizes | undefined } {
  const sizes = resolveBlocks(given, fallback);
  const does = (...some: readonly OperationKind[]): boolean =>
    some.some((kind) => kinds.includes(kind));
  const read = does('read', 'get', 'put') || !does('write') ? sizes.read : sizes.write;
  const write = does('write', 'get', 'put') || !does('read') ? sizes.write : sizes.read;
  const isOne = typeof read === 'number' && read === write;
  return {
    blockSizeBytes: Math.max(largestSize(read), largestSize(write)),
    blockSizes: isOne ? undefined : { read, write },
  };
}

export function printBlocks(bytes: number, sizes: BlockSizes | undefined): unknown {
  if (sizes === undefined) return formatSize(bytes);
  const [read, write] = [printSizes(sizes.read), printSizes(sizes.write)];
  return JSON.stringify(read) === JSON.stringify(write) ? read : { read, write };
}

export function printSizes(spec: SizeSpec): unknown {
  if (typeof spec === 'number') return formatSize(spec);
  if ('uniform' in spec) return { uniform: spec.uniform.map(formatSize) };
  if ('weighted' in spec) {
    return spec.weighted.map(({ size: bytes, weight: share }) => ({
      size: formatSize(bytes),
      weight: share,
    }));
  }
  const { mean, sd, min, max } = spec.lognormal;
  return {
    lognormal: {
      mean: formatSize(mean),
      sd: formatSize(sd),
      min: formatSize(min),
      max: formatSize(max),
    },
  };
}
