import type { Fsync, Sync } from '../../shared/model/plan.js';

/** How written data is forced out, for the results: `O_DSYNC fdatasync 8`. The same words for every engine. */
export function syncWords(options: {
  readonly sync: Sync;
  readonly fsync: Fsync;
  readonly fdatasync: boolean;
}): readonly string[] {
  const { sync, fsync, fdatasync } = options;
  return [
    ...(sync === 'none' ? [] : [sync.toUpperCase()]),
    ...(fsync === 'never' ? [] : [`${fdatasync ? 'fdatasync' : 'fsync'} ${String(fsync)}`]),
  ];
}
