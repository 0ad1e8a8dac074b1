import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Figures } from './measure.js';

const run = promisify(execFile);

const direction = z.object({
  iops: z.number(),
  total_ios: z.number(),
  // A direction in which nothing was done has no percentiles.
  clat_ns: z.object({ percentile: z.record(z.string(), z.number()).optional() }),
});

const output = z.object({
  jobs: z
    .array(
      z.object({
        job_runtime: z.number(),
        usr_cpu: z.number(),
        sys_cpu: z.number(),
        read: direction,
        write: direction,
      }),
    )
    .min(1),
});

export interface FioJob {
  readonly rw: 'randread' | 'read' | 'write';
  readonly engine: 'psync' | 'io_uring';
  readonly blockBytes: number;
  readonly threads: number;
  readonly iodepth: number;
  readonly direct: boolean;
  /** io_uring: a thread of the kernel takes what is to be done from the ring, as with libuv's ring. */
  readonly sqthreadPoll?: boolean;
}

export async function fioVersion(): Promise<string | undefined> {
  try {
    return (await run('fio', ['--version'])).stdout.trim();
  } catch {
    return undefined;
  }
}

/**
 * fio on threads, as Muster works. `iomem_align`: its default buffers are misaligned, which would flatter us;
 * `invalidate=0`: the row says what is in the page cache; `norandommap`: Muster keeps no map of visited blocks either.
 */
export async function runFio(file: string, job: FioJob, seconds: number): Promise<Figures> {
  const { stdout } = await run('fio', [
    '--name=bench',
    `--filename=${file}`,
    `--rw=${job.rw}`,
    `--bs=${String(job.blockBytes)}`,
    `--ioengine=${job.engine}`,
    `--iodepth=${String(job.iodepth)}`,
    `--direct=${job.direct ? '1' : '0'}`,
    ...(job.sqthreadPoll ? ['--sqthread_poll=1'] : []),
    '--thread',
    `--numjobs=${String(job.threads)}`,
    '--group_reporting',
    '--time_based',
    `--runtime=${String(seconds)}`,
    '--iomem_align=4096',
    '--invalidate=0',
    '--norandommap',
    '--output-format=json',
  ]);
  const result = output.parse(JSON.parse(stdout)).jobs[0];
  if (result === undefined) throw new Error('fio reported no job');
  const done = job.rw === 'write' ? result.write : result.read;
  const { '50.000000': p50Ns, '99.000000': p99Ns } = done.clat_ns.percentile ?? {};
  if (done.total_ios === 0 || p50Ns === undefined || p99Ns === undefined) {
    throw new Error('fio did no operation');
  }
  // usr_cpu and sys_cpu are percent of job_runtime (ms, the sum of all threads).
  const cpuNs = ((result.usr_cpu + result.sys_cpu) / 100) * result.job_runtime * 1e6;
  return { perSecond: done.iops, cpuNsPerOperation: cpuNs / done.total_ios, p50Ns, p99Ns };
}

/** 4 KiB random reads by psync on one thread, through the page cache. */
export const randomRead: FioJob = {
  rw: 'randread',
  engine: 'psync',
  blockBytes: 4096,
  threads: 1,
  iodepth: 1,
  direct: false,
};
