/** What the generators' self-tests of a preflight (the plan's stages on the null engine) say about a run to come. */
import type { SelfTest } from '../../shared/model/self-test.js';
import { counted, nounFor } from '../../shared/kernel/counted.js';

/** The self-test is a closed loop; pacing an open one costs about as much again per operation. */
const usableShare = 0.5;
/** The threads never wait: with less of the CPUs than this, somebody else has them, or a quota is in force. */
const freeShare = 0.8;

/** One sentence for each stage whose rate is more than the agent's generator is good for. */
export function rateWarnings(tests: readonly SelfTest[]): readonly string[] {
  return tests.flatMap(({ stages, operationsPerSecond }) =>
    stages
      .filter(({ wanted }) => wanted !== null && wanted > usableShare * operationsPerSecond)
      .map(
        ({ name, wanted }) =>
          `stage ${name}: its rate asks ${millions(wanted ?? 0)} ops/s of this agent, more than half of what its generator can do without any storage (${millions(operationsPerSecond)} ops/s): use more agents, or more threads where CPUs are free`,
      ),
  );
}

/**
 * One sentence for each shape of stage whose threads and the polling threads of their rings are more than the host has
 * CPUs, with those of other agents there. A polling thread is busy as long as operations come more often than every
 * 10 ms, whatever the storage does.
 */
export function pollingWarnings(
  tests: readonly SelfTest[],
  neighbours: readonly (readonly SelfTest[])[],
): readonly string[] {
  return tests.flatMap((test) => {
    if (test.pollingThreads === 0) return [];
    const names = test.stages.map(({ name }) => name);
    const alike = neighbours.flatMap(
      (all) => all.find((one) => names.includes(one.stages[0]?.name ?? '')) ?? [],
    );
    const all = [test, ...alike];
    const threads = all.reduce((sum, one) => sum + one.threads, 0);
    const polling = all.reduce((sum, one) => sum + one.pollingThreads, 0);
    if (threads + polling <= test.hostCpus) return [];
    const whose = alike.length === 0 ? '' : ` of ${String(all.length)} agents on this host`;
    const who = `${counted(threads, 'thread')} with iodepth and ${counted(polling, 'polling thread')} of the kernel (io_uring)${whose}`;
    return [
      `${nounFor(names.length, 'stage')} ${names.join(', ')}: ${who} can use ${String(threads + polling)} CPUs, and there are ${String(test.hostCpus)}: more threads without iodepth may do more`,
    ];
  });
}

/** One sentence when the host was too busy for the self-test, and so is for a run. */
export function busyWarning(
  tests: readonly SelfTest[],
  neighbours: readonly string[],
): string | undefined {
  const starved = tests
    .map((test) => ({ ...test, due: Math.min(test.threads, test.hostCpus) }))
    .filter(({ cpus, due }) => cpus < freeShare * due)
    .sort((a, b) => a.cpus / a.due - b.cpus / b.due)[0];
  if (starved === undefined) return undefined;
  const { threads, cpus, due, othersCpus, hostCpus } = starved;
  const who =
    neighbours.length === 0
      ? 'others'
      : `others (also agents on the same host: ${neighbours.join(', ')})`;
  return `this host has no CPU to spare: in the self-test the workload process with ${counted(threads, 'thread')} got ${cpus.toFixed(1)} of ${counted(due, 'CPU')}, ${who} used ${othersCpus.toFixed(1)} of ${String(hostCpus)}: what is measured now is too slow`;
}

function millions(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en-US').replaceAll(',', ' ');
}
