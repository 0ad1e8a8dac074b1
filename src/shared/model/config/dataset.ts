import { z } from 'zod';
import { mostGivenPaths } from '../plan.js';
import { contentField } from './content.js';
import { fileSizesField } from './sizes.js';
import { count, flag, label, size, threads, TiB } from './fields.js';

const directories = z
  .strictObject(
    {
      width: count({ min: 1, max: 10_000 })
        .prefault(1)
        .meta({ description: 'Folders in each folder' }),
      depth: count({ min: 0, max: 8 }).prefault(0).meta({
        description:
          'Levels of folders; the files are in the width^depth lowest ones (at most 1e6)',
      }),
    },
    { error: 'must be a mapping such as { width: 10, depth: 2 }' },
  )
  .prefault({});

const prepare = z
  .union(
    [
      z.literal('none'),
      z.strictObject({
        threads: threads().optional().meta({
          description: 'Writers of each agent',
          bounds: '1 … 256',
          fallback:
            'twice the processors or the most `threads` of a stage, at most 32 and no more than one for every 16 files or 64 MiB',
        }),
        block_size: size({ min: 1, max: 1024 ** 3 })
          .prefault('1MiB')
          .meta({ description: 'Bytes of one write' }),
        direct: flag().prefault(false).meta({
          description: 'O_DIRECT; `block_size` and `dataset.file_size` must be multiples of 512',
          unit: 'true or false',
        }),
      }),
    ],
    { error: 'must be none, or a mapping such as { threads: 8, block_size: 4MiB }' },
  )
  .prefault({})
  .meta({
    description:
      'How the files are made before the first stage. `none` makes them empty: a stage writes them, before another one reads',
    unit: 'none or mapping',
    fallback: 'written in full',
  });

const paths = () =>
  z
    .array(
      z
        .string({ error: 'must be a path' })
        .max(4096, { error: 'must be at most 4096 characters' })
        .regex(/^\/[^\0]*$/, { error: 'must be an absolute path' }),
      { error: 'must be a list of absolute paths' },
    )
    .min(1, { error: 'is empty; leave it out' })
    .max(mostGivenPaths, { error: `has more than ${String(mostGivenPaths)} entries` });

export const datasetField = z
  .strictObject(
    {
      name: label()
        .prefault('data')
        .meta({ description: 'Folder of the dataset, below the target' }),
      files: count({ min: 0, max: 1e8 }).prefault(0).meta({
        description:
          'Files made before the first stage: for each agent in a private namespace, in total in a shared one. On a `null:` target they are imaginary, and at least one per agent is assumed',
      }),
      file_size: fileSizesField({ min: 1, max: 16 * TiB })
        .prefault('1MiB')
        .meta({
          description:
            'Size of each file, also of those that `put` makes: a size, a list such as `[{ size: 4KiB, weight: 9 }, { size: 1MiB, weight: 1 }]`, or one of the keys below',
          unit: 'size or sizes',
          bounds: '1B … 16TiB',
        }),
      directories,
      existing: paths().optional().meta({
        description:
          'Instead of making files: files that are there already, absolute paths. They are read only with the agent’s --allow-existing and written only with its --allow-devices; they are never removed, truncated or extended',
        unit: 'list of paths',
        bounds: '1 … 10000 entries',
        fallback: 'files are made',
      }),
      devices: paths().optional().meta({
        description:
          'Instead of making files: block devices such as `/dev/nvme0n1`. Read and written with the same consent; one that is in use (mounted, swap, part of another device) is never written',
        unit: 'list of paths',
        bounds: '1 … 10000 entries',
        fallback: 'files are made',
      }),
      content: contentField.prefault('random').meta({
        description:
          'What is written, when the dataset is made and in the stages: see workloads.md',
        unit: 'word or mapping',
        bounds: 'random, zero, or the keys below',
      }),
      prepare,
      verify: flag().prefault(false).meta({
        description:
          'Every 4 KiB written carry what they are (dataset, file, offset, run, generation), and reads are checked against it: see workloads.md',
        unit: 'true or false',
      }),
      keep: flag()
        .prefault(false)
        .meta({ description: 'Leave the dataset in place after the run', unit: 'true or false' }),
    },
    { error: 'must be a mapping' },
  )
  .refine(({ existing, devices }) => existing === undefined || devices === undefined, {
    error: 'existing and devices exclude each other',
  })
  .prefault({});
