import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { availableSeconds, lookAt, type Look } from './available-time.js';
import { Fleet, workloadProcess } from './fleet.js';
import type { FleetRun } from './fleet-run.js';

/** For the skip option of a test that checks a rate. */
export const needsWaitTime = existsSync('/proc/thread-self/schedstat')
  ? false
  : 'needs the time that a thread waited for a processor, /proc/…/schedstat';

const aroundMs = 3_000;

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(ms, resolve));
}

/** Operations of the stage's first so many nanoseconds; within a second they are thought to be spread evenly. */
function operationsUntil(run: FleetRun, ns: number): number {
  const rows = run.intervals().filter((row) => row['agent'] === '*');
  return rows.reduce((sum, row) => {
    const part = (ns / 1e9 - Number(row['second'])) / Number(row['seconds']);
    return sum + Number(row['ops']) * Math.min(1, Math.max(0, part));
  }, 0);
}

/**
 * A load that is limited by nothing but the processor, at which the least of what the controller's silence costs would be
 * seen: what it does while the controller is frozen, against what it does before and after. Other processes may take
 * the processor from it at any time: that time is not counted.
 */
export async function goesOnAtItsRate(
  t: TestContext,
  load: 'null' | 'cached reads',
  frozenMs: number,
): Promise<void> {
  const fleet = await Fleet.start(t, { count: 1 });
  const { address, id, target: folder } = fleet.agent(0);
  const run = fleet.run({
    stages: [
      {
        name: 'load',
        mix: 'read',
        fsync: 'never',
        duration: `${(frozenMs + 5 * aroundMs) / 1000}s`,
      },
    ],
    timeouts: { lease: `${frozenMs / 1000 + 60}s` },
    config: { agents: [{ address, id, target: load === 'null' ? 'null:' : folder }] },
  });
  await run.loaded();
  const workload = await workloadProcess(fleet.agent(0), run);
  const looks: Look[] = [lookAt(workload)];
  await pass(aroundMs);
  run.program.kill('SIGSTOP');
  looks.push(lookAt(workload));
  // Exactly this is what is tested.
  await pass(frozenMs);
  looks.push(lookAt(workload));
  run.program.kill('SIGCONT');
  await pass(aroundMs);
  looks.push(lookAt(workload));
  await run.exits(0);
  run.checkTimeLine(id);
  run.checkSums();

  const [{ t0Ns } = { t0Ns: '' }] = run.records('stageStart') as unknown as { t0Ns: string }[];
  const done = looks.map(({ atNs }) => operationsUntil(run, Number(atNs - BigInt(t0Ns))));
  const rates = looks.slice(1).map((look, index) => {
    const before = looks[index];
    assert.ok(before);
    return ((done[index + 1] ?? 0) - (done[index] ?? 0)) / availableSeconds(before, look);
  });
  const [before = NaN, frozen = NaN, after = NaN] = rates;
  const ratio = frozen / ((before + after) / 2);
  const shown = `${ratio.toFixed(2)} of the rate; a second: ${rates.map(Math.round).join(', ')}`;
  t.diagnostic(shown);
  assert.ok(ratio > 0.5 && ratio < 2, shown);
}
