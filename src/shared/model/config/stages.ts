import { z } from 'zod';
import { operationKinds } from '../operation.js';
import { accessField } from './access.js';
import { blockSizesField } from './sizes.js';
import { choice, count, day, duration, flag, size, threads, TiB } from './fields.js';
import { fileIoFields } from './file-io.js';
import { pacingFields } from './pacing.js';
import { fioField } from './fio.js';
import { suggestion } from './suggest.js';
import type { OperationKind } from '../operation.js';

const weight = z
  .number({ error: 'must be a number such as 70' })
  .min(0, { error: 'must not be negative' })
  .max(1e6, { error: 'must be at most 1000000' })
  .optional();

const weights = z.strictObject(
  Object.fromEntries(operationKinds.map((kind) => [kind, weight])) as Record<
    OperationKind,
    typeof weight
  >,
);

/** fio's `rw`, which says at once what is done and in which order. */
const fioModes: Readonly<Record<string, string>> = {
  randread: 'mix: read and access: shuffled (or random)',
  randwrite: 'mix: write and access: shuffled (or random)',
  randrw: 'mix: { read: 50, write: 50 } and access: shuffled (or random)',
  rw: 'mix: { read: 50, write: 50 }',
  readwrite: 'mix: { read: 50, write: 50 }',
};

function noOperation(word: string): string {
  const meant = Object.hasOwn(fioModes, word) ? fioModes[word] : undefined;
  if (meant !== undefined) return `fio's ${word} is ${meant} here`;
  const share = /^(\d+)\/(\d+)$/.exec(word);
  if (share === null) return `"${word}" is not an operation; ${suggestion(word, operationKinds)}`;
  const [, read = '', write = ''] = share;
  return `"${word}" says not of what; write { read: ${read}, write: ${write} }`;
}

const mix = z.union([choice(operationKinds), weights], {
  error: ({ input }) =>
    typeof input === 'string'
      ? noOperation(input)
      : `must be one of ${operationKinds.join(', ')}, or weights such as { read: 70, write: 30 }`,
});

const stage = z.strictObject(
  {
    name: z
      .string({ error: 'must be text' })
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, {
        error: 'must be 1 … 64 letters, digits, "_" or "-", and begin with a letter or digit',
      })
      .meta({
        description: 'Name in the results and in `expect`; each stage has its own',
        unit: 'name',
        bounds: '1 … 64 letters, digits, _ and -',
      }),
    mix: mix.meta({
      description:
        'One operation, or a mapping of operations to weights (0 … 1e6) such as `{ read: 70, write: 30 }`',
      unit: 'operation or weights',
      bounds: operationKinds.join(', '),
    }),
    block_size: blockSizesField({ min: 1, max: 1024 ** 3 })
      .optional()
      .meta({
        description:
          'Bytes of one `read` or `write`, and (the largest) of one call inside a `get` or `put`: a size, a list of sizes with weights, or one of the keys below',
        unit: 'size or sizes',
        bounds: '1B … 1GiB',
        fallback:
          '`1MiB`, or `dataset.file_size` if that is smaller; of several sizes the smallest, with `read` or `write` in the mix',
      }),
    access: accessField.prefault('sequential').meta({
      description:
        'Order of the blocks that `read` and `write` choose, and of the files for `get`, `stat` and `list`: see workloads.md',
      unit: 'word or mapping',
      bounds: 'sequential, random, shuffled, or one of the keys below',
    }),
    verify: flag().optional().meta({
      description:
        'Reads are compared with what was written, outside the time that is measured; needs `dataset.verify`',
      unit: 'true or false',
      fallback: '`dataset.verify`',
    }),
    threads: threads().prefault(1).meta({
      description: 'Worker threads of each agent; each does `iodepth` operations at once',
    }),
    fio: fioField.optional().meta({
      description:
        "The host's own fio makes the load of this stage (`read`, `write`): its job options, such as `{ ioengine: libaio }`; what other keys of the stage say is not repeated here. See engines.md",
      unit: 'mapping',
      fallback: "Muster's own engine",
    }),
    ...fileIoFields,
    duration: duration({ min: 100, max: 364 * day })
      .optional()
      .meta({ description: 'The stage ends after this time', fallback: 'no limit' }),
    shift: count({ min: 1, max: 9999 }).optional().meta({
      description:
        'Read what the agent this many places further on made (IOR’s -C): its files on a target that all agents share, or in a shared namespace its part of the files',
      fallback: 'its own',
    }),
    max_operations: count({ min: 1, max: 1e15 }).optional().meta({
      description: 'The stage ends after this many operations, over all agents',
      fallback: 'no limit',
    }),
    max_bytes: size({ min: 1, max: 4096 * TiB })
      .optional()
      .meta({
        description: 'The stage ends after this many bytes, over all agents',
        fallback: 'no limit',
      }),
    ...pacingFields,
  },
  { error: 'must be a mapping with name, mix and a limit' },
);

export const stagesField = z
  .array(stage, { error: 'must be a list of stages' })
  .min(1, { error: 'is empty: nothing would be done' })
  .max(1000, { error: 'has more than 1000 stages' })
  .meta({
    description: 'What is done, one after the other; all agents start each stage together',
    unit: 'list',
    bounds: '1 … 1000 entries',
  });
