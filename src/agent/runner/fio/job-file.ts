import type { StageAssignment } from '../../../shared/model/assignment.js';
import type { Content } from '../../../shared/model/plan.js';
import { byteShareOf, shareOf } from '../shares.js';

/** File descriptors that fio inherits: each thread writes a line to the first when it is set up, then waits for the end of the second. */
export const readyFd = 3;
export const gateFd = 4;

export interface FioDataset {
  /** The files are `f.0` … `f.{files-1}` in fio's working directory. */
  readonly files: number;
  /** Of which each thread may have so many open. */
  readonly openFiles: number;
  readonly content: Content;
}

export interface FioJob {
  readonly text: string;
  /** Those that have something to do. */
  readonly threads: number;
}

/** fio's words for a stage: one section per thread, reported together. The stage's own options come last. */
export function fioJob(stage: StageAssignment, dataset: FioDataset, seed: number): FioJob {
  const limits = Array.from({ length: stage.threads }, (_, thread) => limitsOf(stage, thread));
  const sections = limits.flatMap((limit, thread) =>
    limit === undefined ? [] : [`[t${String(thread)}]`, ...limit],
  );
  const text = [
    '[global]',
    // Threads of one process: what ends the process ends the load.
    'thread=1',
    'group_reporting=1',
    'clat_percentiles=0',
    'lat_percentiles=1',
    'continue_on_error=all',
    'allow_file_create=0',
    'allow_mounted_write=0',
    'filename_format=f.$filenum',
    `nrfiles=${String(dataset.files)}`,
    `openfiles=${String(dataset.openFiles)}`,
    // By default fio 3.33 does not heed it: all runs, stages and agents had the same blocks in the same order.
    'randrepeat=0',
    `randseed=${String(seed)}`,
    // No semicolon: fio takes what follows it for a comment.
    `exec_prerun=echo ready >&${String(readyFd)} && read end <&${String(gateFd)} || true`,
    ...accessOf(stage),
    `bs=${blockSizeOf(stage)}`,
    `direct=${stage.direct ? '1' : '0'}`,
    `iodepth=${String(stage.iodepth)}`,
    ...syncOf(stage),
    ...fsyncOf(stage),
    ...contentOf(dataset.content),
    ...Object.entries(stage.fio ?? {}).map(([name, value]) => `${name}=${value}`),
    ...sections,
    '',
  ].join('\n');
  return { text, threads: limits.filter((limit) => limit !== undefined).length };
}

/** Uniform choice may take a block twice, as Muster's does; fio's own map of blocks is what Muster calls shuffled. */
function accessOf({ mix, access }: StageAssignment): readonly string[] {
  const weightOf = (kind: string): number =>
    mix.find(({ operation }) => operation === kind)?.weight ?? 0;
  const reads = weightOf('read');
  const writes = weightOf('write');
  const both = reads > 0 && writes > 0;
  const word = both ? 'rw' : reads > 0 ? 'read' : 'write';
  const share = both ? [`rwmixread=${String(Math.round((100 * reads) / (reads + writes)))}`] : [];
  if (access === 'sequential') return [`rw=${word}`, ...share];
  return [`rw=rand${word}`, ...share, ...distributionOf(access)];
}

function distributionOf(access: Exclude<StageAssignment['access'], 'sequential'>): string[] {
  if (access === 'shuffled') return [];
  if (access === 'random') return ['norandommap=1'];
  if ('zipf' in access) return ['norandommap=1', `random_distribution=zipf:${String(access.zipf)}`];
  if ('hotspot' in access) {
    const { data, operations } = access.hotspot;
    // All blocks are hot. fio 3.33 comes to a standstill when it draws a zone that has none.
    if (data === 1) return ['norandommap=1'];
    const percent = (share: number): string => String(Math.round(share * 100));
    const hot = `${percent(operations)}/${percent(data)}`;
    const cold = `${percent(1 - operations)}/${percent(1 - data)}`;
    return ['norandommap=1', `random_distribution=zoned:${hot}:${cold}`];
  }
  throw new Error('fio has no strided access');
}

/** A ratio of 2 is 50 % of what fio calls compressible, or duplicate. */
function contentOf(content: Content): readonly string[] {
  if (content === 'random') return [];
  if (content === 'zero') return ['zero_buffers=1'];
  const percent = (ratio: number): string => String(Math.round(100 * (1 - 1 / ratio)));
  return [
    'refill_buffers=1',
    `buffer_compress_percentage=${percent(content.compress)}`,
    `dedupe_percentage=${percent(content.dedup)}`,
  ];
}

function syncOf({ sync }: StageAssignment): readonly string[] {
  if (sync === 'none') return [];
  return [sync === 'o_sync' ? 'sync=sync' : 'sync=dsync'];
}

function fsyncOf({ fsync, fdatasync }: StageAssignment): readonly string[] {
  if (fsync === 'never') return [];
  if (fsync === 'end') return ['end_fsync=1'];
  return [`${fdatasync ? 'fdatasync' : 'fsync'}=${fsync === 'every' ? '1' : String(fsync)}`];
}

/** Of every read and of every write. */
function blockSizeOf({ blockSizes, blockSizeBytes }: StageAssignment): string {
  const { read, write } = blockSizes ?? { read: blockSizeBytes, write: blockSizeBytes };
  if (typeof read !== 'number' || typeof write !== 'number') {
    throw new Error('the block sizes of a fio stage differ only between reads and writes');
  }
  return `${String(read)},${String(write)}`;
}

/**
 * fio goes through its files once unless it is told how much to do; time_based would ignore the other limits. Undefined
 * for a thread that no operation is left for: zero means "without limit" to fio.
 */
function limitsOf(stage: StageAssignment, thread: number): readonly string[] | undefined {
  const { durationMs, maxOperations, maxBytes, threads, blockSizeBytes } = stage;
  const runtime = durationMs === undefined ? [] : [`runtime=${String(durationMs)}ms`];
  if (maxOperations === undefined && maxBytes === undefined) return ['time_based=1', ...runtime];
  const operations = shareOf(maxOperations, thread, threads);
  const share = byteShareOf(maxBytes, blockSizeBytes, thread, threads);
  const bytes = Math.min(wholeBlocks(share, blockSizeBytes), operations * largestBlock);
  if (bytes === 0) return undefined;
  const number = maxOperations === undefined ? [] : [`number_ios=${String(operations)}`];
  return [...runtime, `io_size=${String(Math.min(bytes, mostBytes))}`, ...number];
}

function wholeBlocks(bytes: number, block: number): number {
  return Number.isFinite(bytes) ? bytes - (bytes % block) : bytes;
}

/** What a config may have; a limit of operations alone must not end before for want of bytes. */
const largestBlock = 1024 ** 3;
const mostBytes = Number.MAX_SAFE_INTEGER;
