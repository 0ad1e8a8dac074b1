/** What the kernel counts of the workload process while it carries out one stage; Linux only. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { codeOf } from '../../src/shared/kernel/errors.js';
import type { Assignment } from '../../src/shared/model/assignment.js';
import type { RunnerEvent } from '../../src/agent/runner/protocol.js';
import { RunnerProcess } from './runner-process.js';
import { cpuTicks } from './agent-process.js';

const fields = ['rchar', 'wchar', 'syscr', 'syscw', 'read_bytes'] as const;

/**
 * Fields of /proc/<pid>/io, see proc_pid_io(5): bytes given to and taken by system calls, how many calls, bytes that
 * came from a device.
 */
export type KernelCounts = Readonly<Record<(typeof fields)[number], number>>;

export interface StageUsage {
  readonly result: Extract<RunnerEvent, { kind: 'stageResult' }>;
  /** All threads. */
  readonly process: KernelCounts;
  /** All threads but the one that speaks with the agent: workers, the pool, those of the kernel. */
  readonly threads: KernelCounts;
  /** Operations that went through rings with a polling thread. */
  readonly submissions: number;
  /** User and system time of all threads. */
  readonly cpuNs: number;
}

/**
 * Runs the only stage of the assignment in a process of its own. Counted from READY, when files are open and code is
 * compiled, to the result.
 * @param asynchronous as of RunnerProcess
 */
export async function usageOfStage(assignment: Assignment, asynchronous = 0): Promise<StageUsage> {
  const runner = new RunnerProcess(asynchronous);
  try {
    runner.prepare(assignment);
    await runner.event('ready');
    const { pid } = runner.child;
    if (pid === undefined) throw new Error('the workload process did not start');
    const before = look(pid);
    await runner.start(0);
    const result = await runner.event('stageResult');
    const after = look(pid);
    return {
      result,
      process: difference(after.process, before.process),
      threads: difference(after.threads, before.threads),
      submissions: after.submissions - before.submissions,
      cpuNs: (after.ticks - before.ticks) * 1e7,
    };
  } finally {
    await runner.kill();
  }
}

function look(pid: number) {
  const home = `/proc/${String(pid)}`;
  const threads = readdirSync(`${home}/task`)
    .filter((thread) => thread !== String(pid))
    .map((thread) => kernelCounts(`${home}/task/${thread}/io`));
  return {
    process: kernelCounts(`${home}/io`),
    threads: combined((field) => threads.reduce((sum, counts) => sum + counts[field], 0)),
    submissions: ringSubmissions(home),
    ticks: cpuTicks(pid),
  };
}

function difference(after: KernelCounts, before: KernelCounts): KernelCounts {
  return combined((field) => after[field] - before[field]);
}

function combined(value: (field: keyof KernelCounts) => number): KernelCounts {
  return Object.fromEntries(fields.map((field) => [field, value(field)])) as KernelCounts;
}

function kernelCounts(file: string): KernelCounts {
  const text = readFileSync(file, 'utf8');
  return combined((name) => {
    const value = new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`${file} has no ${name}: ${text}`);
    return Number(value);
  });
}

/** SqTail of every ring with a polling thread: those of libuv's files. */
function ringSubmissions(home: string): number {
  let sum = 0;
  for (const descriptor of readdirSync(`${home}/fd`)) {
    try {
      if (!readlinkSync(`${home}/fd/${descriptor}`).includes('[io_uring]')) continue;
    } catch (error) {
      // Closed since.
      if (codeOf(error) === 'ENOENT') continue;
      throw error;
    }
    const info = readFileSync(`${home}/fdinfo/${descriptor}`, 'latin1');
    const field = (name: string): number =>
      Number(new RegExp(`^${name}:\\s*(-?\\d+)`, 'mu').exec(info)?.[1]);
    if (field('SqThread') > 0) sum += field('SqTail');
  }
  return sum;
}
