import { z } from 'zod';
import type { Access } from '../plan.js';
import { formatSize } from '../units.js';
import { choice, percentage, size, TiB } from './fields.js';
import { suggestion } from './suggest.js';

const words = ['sequential', 'random', 'shuffled'] as const;

/** Each form that is a mapping, as it is written. */
const examples = {
  zipf: '{ zipf: 1.1 }',
  hotspot: '{ hotspot: { data: 20%, operations: 80% } }',
  strided: '{ strided: { chunk: 1MiB } }',
} as const;

function noOrder(text: string): string {
  const form = /^[a-z]+/i.exec(text)?.[0].toLowerCase() ?? '';
  const meant = Object.entries(examples).find(([name]) => name === form)?.[1];
  if (meant !== undefined) return `"${text}" is a mapping; write it like ${meant}`;
  return `"${text}" is not an order; ${suggestion(text, [...words, ...Object.values(examples)])}`;
}

const theta = z
  .number({ error: 'must be a number such as 1.1' })
  .min(0.01, { error: 'must be at least 0.01' })
  .max(20, { error: 'must be at most 20' });

const forms = z
  .strictObject(
    {
      zipf: theta.optional().meta({
        description:
          'The k-th most popular block is chosen in proportion to k^-θ; popular blocks are spread over all files',
        unit: 'θ',
        bounds: '0.01 … 20',
        fallback: 'not this way',
      }),
      hotspot: z
        .strictObject(
          {
            data: percentage().meta({ description: 'So much of the blocks is hot …' }),
            operations: percentage().meta({ description: '… and gets so much of the operations' }),
          },
          { error: 'must be a mapping such as { data: 20%, operations: 80% }' },
        )
        .optional(),
      strided: z
        .strictObject(
          {
            chunk: size({ min: 1, max: 16 * TiB })
              .optional()
              .meta({
                description: 'Neighbouring bytes that one worker takes, a multiple of `block_size`',
                fallback: 'one block',
              }),
            stride: size({ min: 1, max: 16 * TiB })
              .optional()
              .meta({
                description:
                  'Bytes from the start of one chunk to the start of the next, within each worker’s own part; without it the workers take turns chunk by chunk',
                fallback: 'workers take turns',
              }),
          },
          { error: 'must be a mapping such as { chunk: 1MiB }, or {}' },
        )
        .optional(),
    },
    { error: 'must be a mapping' },
  )
  .refine((given) => Object.keys(given).length === 1, {
    error: 'must have exactly one of zipf, hotspot, strided',
    // A misspelt key is said once.
    when: ({ issues }) => issues.length === 0,
  });

export const accessField = z.union([choice(words), forms], {
  error: ({ input }) =>
    typeof input === 'string'
      ? noOrder(input)
      : `must be one of ${words.join(', ')}, or a mapping such as { zipf: 1.1 }`,
});

export function resolveAccess(given: z.output<typeof accessField>): Access {
  if (typeof given === 'string') return given;
  const { zipf, hotspot, strided } = given;
  if (zipf !== undefined) return { zipf };
  if (hotspot !== undefined) {
    return { hotspot: { data: hotspot.data / 100, operations: hotspot.operations / 100 } };
  }
  return { strided: { chunkBytes: strided?.chunk, strideBytes: strided?.stride } };
}

/** As it is written in a config. */
export function printAccess(access: Access): unknown {
  if (typeof access === 'string' || 'zipf' in access) return access;
  if ('hotspot' in access) {
    const { data, operations } = access.hotspot;
    return { hotspot: { data: printPercentage(data), operations: printPercentage(operations) } };
  }
  const { chunkBytes, strideBytes } = access.strided;
  return {
    strided: {
      ...(chunkBytes === undefined ? {} : { chunk: formatSize(chunkBytes) }),
      ...(strideBytes === undefined ? {} : { stride: formatSize(strideBytes) }),
    },
  };
}

/** 0.07 → `7%`: not `7.000000000000001%`. */
function printPercentage(fraction: number): string {
  return `${String(Number((fraction * 100).toPrecision(12)))}%`;
}
