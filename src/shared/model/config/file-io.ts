/** The keys of a stage that say how its I/O is carried out. */
import { z } from 'zod';
import { choice, count, flag } from './fields.js';

const fsync = z.union([z.enum(['never', 'end', 'every']), count({ min: 1, max: 1e9 })], {
  error: 'must be never, end, every, or a number of writes (1 … 1000000000)',
});

export const fileIoFields = {
  iodepth: count({ min: 1, max: 65_536 }).prefault(1).meta({
    description:
      'Operations that each thread keeps in flight. Above 1 they are asynchronous (io_uring on Node 20, else a pool of threads): for `read` and `write`, and for everything on `null:`',
    bounds: '1 … 65536, and `threads` × `iodepth` at most `limits.concurrency`',
  }),
  direct: flag().prefault(false).meta({
    description:
      'O_DIRECT: around the page cache; `block_size` and `dataset.file_size` must be multiples of 512',
    unit: 'true or false',
  }),
  noatime: flag().prefault(false).meta({
    description: 'O_NOATIME: reads leave the access time alone, where the agent owns the files',
    unit: 'true or false',
  }),
  sync: choice(['none', 'o_sync', 'o_dsync']).prefault('none').meta({
    description:
      'Opens for writing with O_SYNC or O_DSYNC: each write returns when its data (o_sync: and all metadata) is on the device',
    unit: 'word',
    bounds: 'none, o_sync, o_dsync',
  }),
  fsync: fsync.prefault('never').meta({
    description:
      'When written data is forced to the device: never, at the end of the stage (of each file for `put`), after every write, or after every N writes of a thread. The time is part of the write’s latency',
    unit: 'word or count',
    bounds: 'never, end, every, 1 … 1e9',
  }),
  fdatasync: flag().prefault(false).meta({
    description: '`fsync` calls fdatasync(2): data, and only the metadata needed to read it back',
    unit: 'true or false',
  }),
  drop_cache: flag().prefault(false).meta({
    description:
      'Takes the dataset’s files out of the page cache of the agent’s host before the stage (with the agent’s --allow-drop-caches: everything, by the kernel’s switch); the results say what could be done',
    unit: 'true or false',
  }),
};
