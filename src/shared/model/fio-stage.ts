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
      !isWholePercentages(access),
      'access',
      "fio's zones are whole percentages; round data and operations of this hotspot",
    ],
    [
      typeof access === 'object' && 'zipf' in access && access.zipf === 1,
      'access',
      'fio has no zipf with an exponent of exactly 1; use 0.99 or 1.01',
    ],
    [
      hidesAnOperation(mix),
      'mix',
      'fio divides reads and writes by whole percentages, and one of these weights would be none',
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

/** So that the hot and the cold part, rounded, still add up to all. */
function isWholePercentages(access: StageAssignment['access']): boolean {
  if (typeof access !== 'object' || !('hotspot' in access)) return true;
  const { data, operations } = access.hotspot;
  return [data, operations].every(
    (share) => Math.abs(share * 100 - Math.round(share * 100)) < 1e-9,
  );
}

function hidesAnOperation(mix: StageAssignment['mix']): boolean {
  const sum = mix.reduce((total, { weight }) => total + weight, 0);
  return mix.some(({ weight }) => weight > 0 && Math.round((100 * weight) / sum) === 0);
}
