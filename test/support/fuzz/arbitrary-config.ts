import fc from 'fast-check';

export interface AnyStage {
  readonly name: string;
  readonly mix: string | Readonly<Record<string, number>>;
  readonly max_operations?: number;
  readonly max_bytes?: number;
  readonly warmup?: string;
}

/** A config without agents and target. */
export interface AnyConfig {
  readonly namespace: 'private' | 'shared';
  readonly seed: number;
  readonly dataset: object;
  readonly stages: readonly AnyStage[];
}

type Options = Readonly<Record<string, unknown>>;

const weight = fc.integer({ min: 1, max: 99 });
const mixOf = (...operations: string[]): fc.Arbitrary<Record<string, number>> =>
  fc.record(Object.fromEntries(operations.map((operation) => [operation, weight])));

const blockMixes = fc.oneof(
  fc.constantFrom('read', 'write'),
  mixOf('read', 'write'),
  mixOf('read', 'stat'),
  mixOf('write', 'get', 'list'),
);
const fileMixes = fc.oneof(
  fc.constantFrom('get', 'stat', 'list'),
  mixOf('put', 'get'),
  mixOf('put', 'rename', 'delete'),
  mixOf('mkdir', 'rmdir', 'stat'),
);

const fileSize = fc.oneof(
  fc.constantFrom('16KiB', '100KiB', '1MiB'),
  fc.constantFrom(
    { uniform: ['16KiB', '128KiB'] },
    { lognormal: { mean: '32KiB', sd: '16KiB', min: '16KiB', max: '256KiB' } },
    [
      { size: '16KiB', weight: 9 },
      { size: '256KiB', weight: 1 },
    ],
  ),
);

const oneBlockSize = fc.constantFrom('512', '4KiB', '16KiB', undefined);
const severalBlockSizes = fc.constantFrom(
  { uniform: ['4KiB', '16KiB'] },
  { read: '4KiB', write: '16KiB' },
  [
    { size: '512', weight: 3 },
    { size: '16KiB', weight: 1 },
  ],
);
/** These take every block once. */
const passes = fc.constantFrom('sequential', 'shuffled', { strided: { chunk: '16KiB' } });
const choices = fc.constantFrom(
  'random',
  { zipf: 1.2 },
  { hotspot: { data: '10%', operations: '90%' } },
);

/** Sizes and orders of blocks that go with each other. */
const blocks = fc.oneof(
  fc.record({ block_size: oneBlockSize, access: fc.oneof(passes, choices) }),
  fc.record({ block_size: severalBlockSizes, access: choices }),
);

const maxOperations = fc.constantFrom(1, 7, 100, 1000, 4321);
const limits = fc.oneof(
  fc.record({ duration: fc.constantFrom('300ms', '1s', '1200ms') }),
  fc.record({ duration: fc.constant('2s'), max_operations: maxOperations }),
  fc.record({ duration: fc.constant('2s'), max_bytes: fc.constantFrom(2 ** 20, 10_000_000) }),
);

const pace = fc.oneof(
  fc.constant({}),
  fc.record({
    rate: fc.constantFrom('40/s', '1000/s', ['100/s', '400/s'], { from: '50/s', to: '500/s' }),
    arrival: fc.constantFrom('constant', 'poisson'),
  }),
  fc.record({ think_time: fc.constantFrom('1ms', '20ms') }),
);

const writes = fc.oneof(
  fc.constant({}),
  fc.record({ fsync: fc.constantFrom('never', 'end', 'every', 16), fdatasync: fc.boolean() }),
  fc.record({ sync: fc.constantFrom('o_sync', 'o_dsync') }),
);

const common = fc.record({
  threads: fc.integer({ min: 1, max: 4 }),
  warmup: fc.constantFrom(undefined, undefined, '300ms'),
  error_policy: fc.constantFrom('continue', 'stop'),
});

const dataStage = fc
  .tuple(
    fc.record({ mix: fc.oneof(fc.constantFrom('read', 'write'), mixOf('read', 'write')) }),
    fc.record({ iodepth: fc.constantFrom(1, 1, 8) }),
    blocks,
    writes,
  )
  .map(joined);
const otherStage = fc.record({ mix: fc.oneof(blockMixes, fileMixes) });

const stages = fc.array(
  fc.tuple(fc.oneof(dataStage, otherStage), limits, pace, common).map(joined),
  { minLength: 1, maxLength: 3 },
);

/** Configs that a run accepts, of short stages; `null:` takes them, too. */
export const anyConfig: fc.Arbitrary<AnyConfig> = fc.record({
  namespace: fc.constantFrom('private', 'shared'),
  seed: fc.nat(),
  dataset: fc.record({
    files: fc.integer({ min: 2, max: 20 }),
    file_size: fileSize,
    directories: fc.constantFrom(undefined, { width: 2, depth: 2 }),
    content: fc.constantFrom('zero', 'random'),
  }),
  stages: stages.map((list) =>
    list.map((stage, index) => usable({ name: `s${String(index)}`, ...stage })),
  ),
});

function joined(parts: readonly Options[]): Options {
  return Object.assign({}, ...parts) as Options;
}

/** Leaves out what its mix has no use for, which would be refused. */
function usable(stage: Options & { readonly name: string }): AnyStage {
  const given = stage as Options & AnyStage;
  const kinds = typeof given.mix === 'string' ? [given.mix] : Object.keys(given.mix);
  const has = (...wanted: string[]): boolean => wanted.some((kind) => kinds.includes(kind));
  const { max_bytes: bytes, ...rest } = given;
  return bytes !== undefined && has('read', 'write', 'get', 'put') ? given : rest;
}
