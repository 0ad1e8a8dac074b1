import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Figures } from './measure.js';

const run = promisify(execFile);

const output = z.object({
  jobs: z
    .array(
      z.object({
        job_runtime: z.number(),
        usr_cpu: z.number(),
        sys_cpu: z.number(),
        read: z.object({
          iops: z.number(),
          total_ios: z.number(),
          clat_ns: z.object({ percentile: z.record(z.string(), z.number()) }),
        }),
      }),
    )
    .min(1),
});

export async function fioVersion(): Promise<string | undefined> {
  try {
    return (await run('fio', ['--version'])).stdout.trim();
  } catch {
    return undefined;
  }
}

/**
 * fio's psync on threads, as Muster works. `iomem_align`: its default buffers are misaligned, which would flatter us;
 * `invalidate=0`: the page cache is what is measured; `norandommap`: Muster keeps no map of visited blocks either.
 */
export async function fioRandomRead(
  file: string,
  threads: number,
  seconds: number,
): Promise<Figures> {
  const { stdout } = await run('fio', [
    '--name=bench',
    `--filename=${file}`,
    '--rw=randread',
    '--bs=4k',
    '--ioengine=psync',
    '--thread',
    `--numjobs=${String(threads)}`,
    '--group_reporting',
    '--time_based',
    `--runtime=${String(seconds)}`,
    '--iomem_align=4096',
    '--invalidate=0',
    '--norandommap',
    '--output-format=json',
  ]);
  const job = output.parse(JSON.parse(stdout)).jobs[0];
  if (job === undefined) throw new Error('fio reported no job');
  // usr_cpu and sys_cpu are percent of job_runtime (ms, the sum of all threads).
  const cpuNs = ((job.usr_cpu + job.sys_cpu) / 100) * job.job_runtime * 1e6;
  return {
    perSecond: job.read.iops,
    cpuNsPerOperation: cpuNs / job.read.total_ios,
    p99Ns: job.read.clat_ns.percentile['99.000000'] ?? 0,
  };
}
