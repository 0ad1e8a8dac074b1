/** PERF-05: one thread and many files of 4 KiB in memory, each file one operation; fio makes the same system calls. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { mountSmallDisk } from '../../src/controller/shell/rehearsal/small-disk.js';
import type { StageAssignment } from '../../src/shared/model/assignment.js';
import { RunnerProcess, assignmentOf, stageOf } from '../support/runner-process.js';
import { count, measurePairs, ratio, spreadOf } from './measure.js';
import type { Pair } from './measure.js';
import type { BenchOptions, RowResult } from './row.js';

const run = promisify(execFile);

/** fio writes one block again and again, which stays in the processor's cache, as zeros do; random blocks are all new. */
type Content = 'random' | 'zero';
export type SmallFileOperation = 'put' | 'get' | 'stat' | 'delete';

const fileBytes = 4096;
const unlimited = { durationMs: undefined, threads: 1, blockSizeBytes: fileBytes } as const;

interface SmallFileRow {
  readonly floor: number;
  /** As many files, and each gone through so often, that a run lasts for 3 s and longer. */
  readonly files: number;
  readonly rounds: number;
  readonly calls: string;
  readonly fio: readonly string[];
}

/** Checked with strace: what fio adds or does otherwise stands in `calls`. */
const rows: Readonly<Record<SmallFileOperation, SmallFileRow>> = {
  put: {
    floor: 0.95,
    files: 500_000,
    rounds: 1,
    calls: 'open, pwrite, close; fio without O_EXCL',
    fio: ['--rw=write', '--ioengine=psync', '--create_on_open=1'],
  },
  get: {
    floor: 0.8,
    files: 200_000,
    rounds: 4,
    calls: 'open, pread, close',
    fio: ['--rw=read', '--ioengine=psync'],
  },
  stat: {
    floor: 0.6,
    files: 200_000,
    rounds: 8,
    calls: 'statx; fio newfstatat',
    fio: ['--rw=read', '--ioengine=filestat', '--stat_type=stat'],
  },
  delete: {
    floor: 0.9,
    files: 700_000,
    rounds: 1,
    calls: 'unlink',
    fio: ['--rw=write', '--ioengine=filedelete'],
  },
};

const output = z.object({
  jobs: z
    .array(
      z.object({
        read: z.object({ total_ios: z.number(), iops: z.number() }),
        write: z.object({ total_ios: z.number(), iops: z.number() }),
      }),
    )
    .min(1),
});

export async function smallFiles(
  { pairs, target }: BenchOptions,
  operation: SmallFileOperation,
  content: Content = 'random',
): Promise<RowResult> {
  const { floor, calls, files } = rows[operation];
  const memory = await mountSmallDisk(path.join(target, 'memory'), 'size=4g,nr_inodes=0');
  const folder = 'why' in memory ? target : memory.path;
  const work = { folder, operation, content, files };
  // Memory that a virtual machine has not used before comes slowly from its host, to whoever is the first.
  const turns = await theirs(work)
    .then(() => measureSmallFiles(pairs, work))
    .finally(async () => {
      if (!('why' in memory)) await memory.unmount();
      fs.rmdirSync(path.join(target, 'memory'));
    });
  const speed = spreadOf(turns.map((turn) => turn.ours / turn.theirs));
  const median = (side: 'ours' | 'theirs'): string =>
    `${count(spreadOf(turns.map((turn) => turn[side])).median)}/s`;
  return {
    row: 'PERF-05',
    what: `file, \`${operation}\`${operation === 'put' ? ` (content ${content})` : ''} of 4 KiB files in one folder${'why' in memory ? '' : ' on tmpfs'}, 1 thread`,
    ours: median('ours'),
    theirs: `fio ${median('theirs')}`,
    result: `${ratio(speed)} ×`,
    remark: 'why' in memory ? `${calls}; on the target, because ${memory.why}` : calls,
    floor: `≥ ${floor.toFixed(2)} ×`,
    isMet: speed.median >= floor,
  };
}

export interface SmallFileWork {
  readonly folder: string;
  readonly operation: SmallFileOperation;
  readonly content: Content;
  readonly files: number;
}

/** Operations per second of both sides. */
export function measureSmallFiles(
  pairs: number,
  work: SmallFileWork,
): Promise<readonly Pair<number>[]> {
  return measurePairs(
    pairs,
    () => ours(work),
    () => theirs(work),
  );
}

/** @returns operations per second, from the first to the last */
async function ours({ folder, operation, content, files }: SmallFileWork): Promise<number> {
  const { rounds } = rows[operation];
  const stage = (name: SmallFileOperation): StageAssignment =>
    stageOf({
      ...unlimited,
      mix: [{ operation: name, weight: 1 }],
      access: 'sequential',
      maxOperations: files * rounds,
    });
  const isMade = operation === 'get' || operation === 'stat';
  const range = { from: 0, to: isMade ? files : 1 };
  const stages = operation === 'delete' ? [stage('put'), stage('delete')] : [stage(operation)];
  const assignment = assignmentOf(folder, stages, {
    dataset: { name: 'muster-small', fileSizeBytes: fileBytes, content, own: range, use: range },
  });
  const runner = new RunnerProcess();
  try {
    const result = (await runner.run(assignment)).at(-1);
    const [stats] = result?.operations ?? [];
    if (result === undefined || stats?.count !== files * rounds) {
      throw new Error(`the stage failed: ${JSON.stringify(stats?.errors)}`);
    }
    return (stats.count * 1e9) / Number(result.lastOperationNs - result.firstOperationNs);
  } finally {
    await runner.kill();
    await removed(path.join(folder, 'muster-small'));
  }
}

/** Of hundreds of thousands of files: `fs.rm` takes twice as long. */
async function removed(folder: string): Promise<void> {
  await run('rm', ['-rf', folder]);
}

/** @returns operations per second, as fio says */
async function theirs({ folder, operation, files }: SmallFileWork): Promise<number> {
  const { rounds } = rows[operation];
  const home = path.join(folder, 'fio');
  fs.mkdirSync(home);
  try {
    if (operation !== 'put') await fio(home, 'put', files, 1);
    return await fio(home, operation, files, rounds);
  } finally {
    await removed(home);
  }
}

async function fio(
  home: string,
  operation: SmallFileOperation,
  files: number,
  rounds: number,
): Promise<number> {
  const { stdout } = await run(
    'fio',
    [
      '--name=small',
      `--directory=${home}`,
      `--nrfiles=${String(files)}`,
      `--filesize=${String(fileBytes)}`,
      `--bs=${String(fileBytes)}`,
      // One file after the other, opened for its operation and closed after it, and no other call.
      '--openfiles=1',
      '--file_service_type=sequential',
      '--fadvise_hint=0',
      // KiB, for its table of files.
      '--alloc-size=524288',
      '--fallocate=none',
      '--invalidate=0',
      '--thread',
      `--loops=${String(rounds)}`,
      ...rows[operation].fio,
      '--output-format=json',
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const [job] = output.parse(JSON.parse(stdout)).jobs;
  const done = operation === 'put' || operation === 'delete' ? job?.write : job?.read;
  if (done?.total_ios !== files * rounds) {
    throw new Error(`fio did ${String(done?.total_ios)} operations, not ${String(files * rounds)}`);
  }
  return done.iops;
}
