import { z } from 'zod';
import { contentField } from './content.js';
import { fileSizesField } from './sizes.js';
import { count, flag, label, TiB } from './fields.js';

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
      content: contentField.prefault('random').meta({
        description:
          'What is written, when the dataset is made and in the stages: see workloads.md',
        unit: 'word or mapping',
        bounds: 'random, zero, or the keys below',
      }),
      keep: flag()
        .prefault(false)
        .meta({ description: 'Leave the dataset in place after the run', unit: 'true or false' }),
    },
    { error: 'must be a mapping' },
  )
  .prefault({});
