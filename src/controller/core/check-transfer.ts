/** Sizes of a stage against each other and against what O_DIRECT allows; keys that would have no effect. */
import { operationBytes } from '../../shared/model/split-plan.js';
import { grainOf, largestSize, smallestSize } from '../../shared/model/sizes.js';
import { formatSize } from '../../shared/model/units.js';
import type { OperationKind } from '../../shared/model/operation.js';
import type { Access, Plan, StagePlan } from '../../shared/model/plan.js';
import type { SizeSpec } from '../../shared/model/sizes.js';
import type { KeyPath } from '../../shared/model/config/path.js';
import { isAllNull } from './check-null.js';
import type { Finding } from './finding.js';

const sector = 512;
const page = 4096;

export function* checkTransfer(plan: Plan, stage: StagePlan, path: KeyPath): Generator<Finding> {
  const { blockSizeBytes: block } = stage;
  const { fileSizeBytes: file } = plan.dataset;
  const about = [['dataset']];
  const does = (...kinds: OperationKind[]): boolean =>
    stage.mix.some((entry) => kinds.includes(entry.operation));
  const inBlocks = does('read', 'write');
  if (inBlocks && block > file && plan.dataset.given === undefined) {
    const message = `${formatSize(block)} is more than dataset.file_size (${formatSize(file)})`;
    yield { level: 'error', path: [...path, 'block_size'], about, message };
  }
  const operation = operationBytes(plan, stage);
  if (stage.maxBytes !== undefined && operation === 0) {
    const message = 'the operations of this stage move no bytes, so it would never be reached';
    yield { level: 'error', path: [...path, 'max_bytes'], message };
  } else if (stage.maxBytes !== undefined && stage.maxBytes < operation) {
    const message = `${formatSize(stage.maxBytes)} is less than one operation (${formatSize(operation)}): nothing would be done`;
    yield { level: 'error', path: [...path, 'max_bytes'], about, message };
  }
  yield* checkSizes(plan, stage, path);
  if (typeof plan.dataset.content === 'object' && does('write')) yield* checkContent(stage, path);
  if (stage.direct) yield* checkDirect(plan, stage, path);
  // On null: none of the keys about files has an effect, whatever the stage does: check-null says that.
  if (!isAllNull(plan)) yield* checkFileKeys(stage, path);
  if (stage.access !== 'sequential' && !inBlocks && !does('get', 'stat', 'list')) {
    yield without([...path, 'access'], 'read, write, get, stat or list');
  }
  if (typeof stage.access === 'object' && 'strided' in stage.access && inBlocks)
    yield* checkStrides(stage.access.strided, blocksOf(stage), [...path, 'access', 'strided']);
}

const without = (path: KeyPath, what: string): Finding => ({
  level: 'warning',
  path,
  message: `has no effect: the stage does no ${what}`,
});

/** Those that say how files are opened and forced out, against what the stage does. */
function* checkFileKeys(stage: StagePlan, path: KeyPath): Generator<Finding> {
  const does = (...kinds: OperationKind[]): boolean =>
    stage.mix.some((entry) => kinds.includes(entry.operation));
  if (stage.direct && !does('read', 'write', 'get', 'put'))
    yield without([...path, 'direct'], 'read, write, get or put');
  if (stage.noatime && !does('read', 'get')) yield without([...path, 'noatime'], 'read or get');
  if (!does('write', 'put')) {
    if (stage.fsync !== 'never') yield without([...path, 'fsync'], 'write or put');
    if (stage.sync !== 'none') yield without([...path, 'sync'], 'write or put');
  }
  if (stage.fdatasync && stage.fsync === 'never') {
    const message = 'has no effect: fsync is never; give fsync: end, every, or a number of writes';
    yield { level: 'warning', path: [...path, 'fdatasync'], message };
  }
  if (stage.dropCache && stage.direct) {
    const message = 'has little effect: direct goes around the page cache';
    yield { level: 'warning', path: [...path, 'drop_cache'], message };
  }
}

/** Chunks and strides are whole blocks of every size, and strides leave room for their chunks. */
function* checkStrides(
  { chunkBytes, strideBytes }: Extract<Access, { strided: unknown }>['strided'],
  specs: readonly SizeSpec[],
  path: KeyPath,
): Generator<Finding> {
  const blocks = specs.map(largestSize);
  for (const [key, bytes] of [
    ['chunk', chunkBytes],
    ['stride', strideBytes],
  ] as const) {
    const odd = bytes === undefined ? undefined : blocks.find((block) => bytes % block !== 0);
    if (bytes === undefined || odd === undefined) continue;
    const message = `${formatSize(bytes)} is not a multiple of the block size (${formatSize(odd)})`;
    yield { level: 'error', path: [...path, key], message };
  }
  const chunk = chunkBytes ?? Math.max(...blocks);
  if (strideBytes !== undefined && strideBytes < chunk) {
    const message = `${formatSize(strideBytes)} is less than a chunk (${formatSize(chunk)})`;
    yield { level: 'error', path: [...path, 'stride'], message };
  }
}

const blocksOf = ({ blockSizes, blockSizeBytes }: StagePlan): readonly SizeSpec[] =>
  blockSizes === undefined ? [blockSizeBytes] : [blockSizes.read, blockSizes.write];

/** Ratios are those of 4 KiB: a smaller piece would be the incompressible front of one. */
function* checkContent(stage: StagePlan, path: KeyPath): Generator<Finding> {
  const grain = grainOf(stage.blockSizes?.write ?? stage.blockSizeBytes);
  if (grain % page === 0) return;
  const about = [['dataset', 'content']];
  const message = `compress and dedup need writes of a multiple of 4KiB, not of ${formatSize(grain)}`;
  yield { level: 'error', path: [...path, 'block_size'], about, message };
}

/** More files would need more memory for where their blocks lie than a load generator should take. */
const mostUnevenFiles = 1e7;

/** Orders that need one size of blocks; files that are too small for the blocks, or too many. */
function* checkSizes(plan: Plan, stage: StagePlan, path: KeyPath): Generator<Finding> {
  const kinds = stage.mix.map(({ operation }) => operation);
  const blocks = blocksOf(stage);
  const { fileSizes, files } = plan.dataset;
  const needsOne =
    stage.access === 'shuffled' || (typeof stage.access === 'object' && 'strided' in stage.access);
  if (needsOne && blocks.some((spec) => typeof spec !== 'number')) {
    const name = typeof stage.access === 'string' ? stage.access : 'strided';
    const message = `${name} takes every block once and needs one block_size; random, zipf, hotspot and sequential take several`;
    yield { level: 'error', path: [...path, 'access'], about: [[...path, 'block_size']], message };
  }
  if (fileSizes === undefined || !(kinds.includes('read') || kinds.includes('write'))) return;
  const about = [['dataset', 'file_size']];
  for (const message of smallFiles(stage, fileSizes)) {
    yield { level: 'warning', path: [...path, 'block_size'], about, message };
  }
  if (files > mostUnevenFiles) {
    const message = `read and write in files of different sizes need a table: at most ${String(mostUnevenFiles)} files, not ${String(files)}`;
    yield { level: 'error', path: [...path, 'mix'], about, message };
  }
}

/** A sentence for each way in which files are too small for the stage's blocks. */
function smallFiles({ mix, blockSizes, blockSizeBytes }: StagePlan, files: SizeSpec): Set<string> {
  const smallest = smallestSize(files);
  const found = new Map<string, string[]>();
  for (const kind of ['read', 'write'] as const) {
    if (!mix.some(({ operation }) => operation === kind)) continue;
    const spec = blockSizes?.[kind] ?? blockSizeBytes;
    const [grain, largest] = [grainOf(spec), largestSize(spec)];
    const leftOut = `files smaller than ${formatSize(grain)} have no whole block and are left out by`;
    const cut = `blocks of up to ${formatSize(largest)} are cut to the file, where it is smaller, by`;
    if (smallest < grain) found.set(leftOut, [...(found.get(leftOut) ?? []), kind]);
    if (smallest < largest && grain < largest) found.set(cut, [...(found.get(cut) ?? []), kind]);
  }
  const what = `(file_size begins at ${formatSize(smallest)}): use a smaller block_size or larger files`;
  return new Set([...found].map(([how, kinds]) => `${how} ${kinds.join(' and ')} ${what}`));
}

/** O_DIRECT wants multiples of the device's logical block, 512 or 4096 bytes; only the agent knows which. */
function* checkDirect(plan: Plan, stage: StagePlan, path: KeyPath): Generator<Finding> {
  const sizes = [
    ...blocksOf(stage).map((spec) => ({ key: 'block_size', bytes: grainOf(spec) })),
    ...(plan.dataset.given === undefined
      ? [
          {
            key: 'dataset.file_size',
            bytes: grainOf(plan.dataset.fileSizes ?? plan.dataset.fileSizeBytes),
          },
        ]
      : []),
  ];
  const about = [['dataset']];
  const odd = sizes.find(({ bytes }) => bytes % sector !== 0);
  const unaligned = sizes.find(({ bytes }) => bytes % page !== 0);
  if (odd !== undefined) {
    const message = `direct I/O needs a multiple of ${String(sector)} bytes; ${odd.key} is ${formatSize(odd.bytes)}`;
    yield { level: 'error', path: [...path, 'direct'], about, message };
  } else if (unaligned !== undefined) {
    const message = `many devices want multiples of ${String(page)} bytes for direct I/O; ${unaligned.key} is ${formatSize(unaligned.bytes)}`;
    yield { level: 'warning', path: [...path, 'direct'], about, message };
  }
}
