import type { StageAssignment } from './assignment.js';

/** What fio cannot do for a stage, or does in its own words: the stage's key, and a sentence that ends with why. */
export function fioStageProblems(
  stage: Omit<StageAssignment, 'threads' | 'maxOperations' | 'maxBytes'>,
): readonly (readonly [key: string, message: string])[] {
  const { mix, access, blockSizes } = stage;
  const others = mix
    .map(({ operation }) => operation)
    .filter((operation) => operation !== 'read' && operation !== 'write');
  const sizes = [blockSizes?.read, blockSizes?.write];
  const rows: readonly (readonly [boolean, string, string])[] = [
    [others.length > 0, 'mix', `fio stages do read and write, not ${others.join(', ')}`],
    [
      typeof access === 'object' && 'strided' in access,
      'access',
      'fio has no strided access like this; use its zonemode, or another access',
    ],
    [
      sizes.some((size) => typeof size === 'object'),
      'block_size',
      "fio stages have one size for reads and one for writes; fio's own bssplit and bsrange can do more",
    ],
    [stage.dropCache, 'drop_cache', "a fio stage drops its files' caches by fio's own invalidate"],
    [stage.rate !== undefined, 'rate', "a fio stage is paced by fio's own rate_iops or rate"],
    [stage.thinkTimeNs > 0, 'think_time', "a fio stage waits by fio's own thinktime"],
    [
      stage.warmupMs > 0,
      'warmup',
      'fio stages have none; put a stage before it that is not looked at',
    ],
    [
      stage.stopOn.length > 0,
      'error_policy',
      'fio stages count errors and go on; max_error_rate can end them',
    ],
  ];
  return rows.filter(([is]) => is).map(([, key, message]) => [key, message]);
}
