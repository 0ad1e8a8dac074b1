import type { StageAssignment } from '../../../shared/model/assignment.js';
import {
  bypassesCache,
  engineOf,
  keepsDepth,
  timesSyncs,
} from '../../../shared/model/fio-options.js';
import { syncWords } from '../../core/io-words.js';

/** What does the I/O of a stage that fio runs, in the words of our own engines: `fio-3.33 libaio iodepth 32 O_DIRECT`. */
export function fioMechanism(
  version: string,
  stage: Pick<StageAssignment, 'fio' | 'iodepth' | 'direct' | 'sync' | 'fsync' | 'fdatasync'>,
): string {
  const { fio, iodepth, direct, sync, fsync, fdatasync } = stage;
  const engine = engineOf(fio);
  return [
    version,
    engine,
    ...(iodepth > 1 && keepsDepth(engine) ? [`iodepth ${String(iodepth)}`] : []),
    ...(direct && bypassesCache(engine) ? ['O_DIRECT'] : []),
    // At the end of a stage fio calls fsync(2), whatever else it was told.
    ...syncWords({ sync, fsync, fdatasync: fdatasync && fsync !== 'end' }),
    ...(fsync !== 'never' && !timesSyncs(engine, fsync) ? ['(not timed)'] : []),
  ].join(' ');
}
