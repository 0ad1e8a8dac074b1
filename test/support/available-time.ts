/**
 * How much time the busiest thread of a process could have used: all of it but what it waited for a processor, because
 * others had them. What it does in that time does not depend on how busy the machine is. Linux only.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { systemClock } from '../../src/shared/kernel/system-clock.js';

interface Thread {
  readonly cpuNs: number;
  readonly waitedNs: number;
}

export interface Look {
  readonly atNs: bigint;
  readonly threads: ReadonlyMap<string, Thread>;
}

export function lookAt(pid: number): Look {
  const tasks = `/proc/${pid}/task`;
  const threads = readdirSync(tasks).map((id): [string, Thread] => {
    // Time on the processor, time waited for one; see the kernel's sched-stats.rst.
    const [cpuNs, waitedNs] = readFileSync(`${tasks}/${id}/schedstat`, 'utf8').split(' ');
    return [id, { cpuNs: Number(cpuNs), waitedNs: Number(waitedNs) }];
  });
  return { atNs: systemClock.nowNs(), threads: new Map(threads) };
}

/** Between two looks, in seconds. */
export function availableSeconds(from: Look, to: Look): number {
  const used = [...to.threads].flatMap(([id, after]) => {
    const before = from.threads.get(id);
    if (!before) return [];
    return [{ cpuNs: after.cpuNs - before.cpuNs, waitedNs: after.waitedNs - before.waitedNs }];
  });
  const busiest = used.reduce((most, one) => (one.cpuNs > most.cpuNs ? one : most));
  return (Number(to.atNs - from.atNs) - busiest.waitedNs) / 1e9;
}
