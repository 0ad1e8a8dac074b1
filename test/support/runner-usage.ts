/** What the kernel counts of the workload process while it carries out one stage; Linux only. */
import { readFileSync } from 'node:fs';
import type { Assignment } from '../../src/shared/model/assignment.js';
import type { RunnerEvent } from '../../src/agent/runner/protocol.js';
import { RunnerProcess } from './runner-process.js';
import { cpuTicks } from './agent-process.js';

/** Fields of /proc/<pid>/io, see proc_pid_io(5): bytes given to and taken by system calls, and how many calls. */
export interface KernelCounts {
  readonly rchar: number;
  readonly wchar: number;
  readonly syscr: number;
  readonly syscw: number;
}

export interface StageUsage {
  readonly result: Extract<RunnerEvent, { kind: 'stageResult' }>;
  readonly kernel: KernelCounts;
  /** User and system time of all threads. */
  readonly cpuNs: number;
}

/**
 * Runs the only stage of the assignment in a process of its own. Counted from READY, when files are open and code is
 * compiled, to the result.
 */
export async function usageOfStage(assignment: Assignment): Promise<StageUsage> {
  const runner = new RunnerProcess();
  try {
    runner.prepare(assignment);
    await runner.event('ready');
    const { pid } = runner.child;
    if (pid === undefined) throw new Error('the workload process did not start');
    const [before, ticksBefore] = [kernelCounts(pid), cpuTicks(pid)];
    await runner.start(0);
    const result = await runner.event('stageResult');
    const [after, ticksAfter] = [kernelCounts(pid), cpuTicks(pid)];
    const kernel = {
      rchar: after.rchar - before.rchar,
      wchar: after.wchar - before.wchar,
      syscr: after.syscr - before.syscr,
      syscw: after.syscw - before.syscw,
    };
    return { result, kernel, cpuNs: (ticksAfter - ticksBefore) * 1e7 };
  } finally {
    await runner.kill();
  }
}

function kernelCounts(pid: number): KernelCounts {
  const text = readFileSync(`/proc/${String(pid)}/io`, 'utf8');
  const field = (name: string): number => {
    const value = new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`/proc/${String(pid)}/io has no ${name}: ${text}`);
    return Number(value);
  };
  return {
    rchar: field('rchar'),
    wchar: field('wchar'),
    syscr: field('syscr'),
    syscw: field('syscw'),
  };
}
