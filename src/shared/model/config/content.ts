import { z } from 'zod';
import type { Content } from '../plan.js';
import { choice } from './fields.js';
import { suggestion } from './suggest.js';

const words = ['random', 'zero'] as const;

const ratio = (max: number) =>
  z
    .number({ error: 'must be a number such as 2.0' })
    .min(1, { error: 'must be at least 1' })
    .max(max, { error: `must be at most ${String(max)}` })
    .optional();

export const contentField = z.union(
  [
    choice(words),
    z
      .strictObject(
        {
          compress: ratio(50).meta({
            description: 'Size by compressed size, which gzip and zstd come to within 5 %',
            unit: 'ratio',
            bounds: '1 … 50',
            fallback: '`1`',
          }),
          dedup: ratio(1000).meta({
            description: 'Blocks of 4 KiB by different blocks of 4 KiB',
            unit: 'ratio',
            bounds: '1 … 1000',
            fallback: '`1`',
          }),
        },
        { error: 'must be a mapping' },
      )
      .refine((given) => Object.keys(given).length > 0, {
        error: 'must have compress, dedup or both',
        when: ({ issues }) => issues.length === 0,
      }),
  ],
  {
    error: ({ input }) =>
      typeof input === 'string'
        ? `"${input}" is not a content; ${suggestion(input, words)}`
        : 'must be random, zero, or a mapping such as { compress: 2.0, dedup: 1.5 }',
  },
);

export function resolveContent(given: z.output<typeof contentField>): Content {
  if (typeof given === 'string') return given;
  return { compress: given.compress ?? 1, dedup: given.dedup ?? 1 };
}
