import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { Histogram } from '../../../src/shared/metrics/histogram.js';
import type { Assignment } from '../../../src/shared/model/assignment.js';
import { assignmentOf } from '../../support/agent-driver.js';
import { withAgent } from '../../support/agent-in-process.js';
import type { TestAgent } from '../../support/agent-in-process.js';
import { processGone } from '../../support/agent-process.js';
import { TestController } from '../../support/test-controller.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'muster-stuck-'));
after(() => {
  rmSync(folder, { recursive: true });
});

function runnerPid(agent: TestAgent): number {
  return Number(/workload process (\d+) started/.exec(agent.lines.join())?.[1]);
}

/** Two workers that get the dataset's only file, which is a pipe nobody writes to by then: both hang in a system call. */
async function hangingLoad(
  agent: TestAgent,
  target: string,
  { durationMs, ...timeouts }: Partial<Assignment['timeouts']> & { durationMs: number },
): Promise<TestController> {
  const controller = new TestController(agent.port);
  await controller.dial();
  const base = assignmentOf();
  const stages = base.stages.slice(0, 1).map((stage) => ({
    ...stage,
    mix: [{ operation: 'get', weight: 1 } as const],
    threads: 2,
    durationMs,
  }));
  execFileSync('mkdir', [target]);
  const assignment = { target, stages, timeouts: { ...base.timeouts, ...timeouts } };
  controller.lease().prepare(assignmentOf(assignment));
  await controller.hear('ready');
  const file = readdirSync(target, { recursive: true, encoding: 'utf8' }).find((name) =>
    name.endsWith('/f0'),
  );
  assert.ok(file, 'the dataset has a file f0');
  rmSync(path.join(target, file));
  execFileSync('mkfifo', [path.join(target, file)]);
  controller.say({ kind: 'start', stage: 0, epoch: 1, atNs: systemClock.nowNs() + 300_000_000n });
  await controller.hear('armed');
  controller.say({ kind: 'go', stage: 0, epoch: 1 });
  return controller;
}

test('an abort ends a run whose workers hang in a system call, and counts what they left', async () => {
  await withAgent({}, async (agent) => {
    const target = path.join(folder, 'abort');
    const controller = await hangingLoad(agent, target, { durationMs: 3_600_000 });
    await controller.until('heartbeat with both in flight', () =>
      controller.all('heartbeat').find(({ inFlight }) => inFlight === 2),
    );
    controller.say({ kind: 'abort', reason: 'Ctrl-C' });
    assert.deepEqual(await controller.hear('final'), {
      kind: 'final',
      state: 'ABORTED',
      reason: 'Ctrl-C',
    });
    assert.equal((await controller.hear('stageResult')).abandoned, 2);
    await controller.goodbye();
    const next = new TestController(agent.port, { runId: 'next' });
    await next.dial();
    await next.goodbye();
    await processGone(runnerPid(agent));
  });
});

test('operations that hang past the end of the stage are left after the drain time; the run completes', async () => {
  await withAgent({}, async (agent) => {
    const target = path.join(folder, 'drain');
    const controller = await hangingLoad(agent, target, { durationMs: 500, drainMs: 1_000 });
    const result = await controller.hear('stageResult');
    assert.equal(result.endedBy, 'drained');
    assert.equal(result.abandoned, 2);
    const final = await controller.hear('final');
    assert.equal(final.state, 'COMPLETED');
    assert.match(final.reason, /still in flight 1s after the end of the stage/);
    controller.say({ kind: 'cleanup' });
    await controller.hear('cleaned');
    await controller.goodbye();
  });
});

test('[RUN-27] a workload process that is frozen shows as silent, then it is killed and the run FAILED', async () => {
  await withAgent({}, async (agent) => {
    const controller = new TestController(agent.port);
    await controller.dial();
    const timeouts = { ...assignmentOf().timeouts, runnerSilenceMs: 4_000 };
    controller.lease().prepare(assignmentOf({ target: 'null:', timeouts }));
    await controller.hear('ready');
    process.kill(runnerPid(agent), 'SIGSTOP');
    await controller.until('heartbeat of a silent runner', () =>
      controller.all('heartbeat').find(({ runnerSilenceNs }) => runnerSilenceNs > 2e9),
    );
    assert.equal((await controller.hear('final')).state, 'FAILED');
    const { code, message } = await controller.hear('error');
    assert.equal(code, 'stuck');
    assert.equal(message, 'workload process has not reported for 4s: killed');
    await processGone(runnerPid(agent));
    await controller.goodbye();
  });
});

test('[RUN-27] a workload process killed from outside fails the run, totals up to its last interval', async () => {
  await withAgent({}, async (agent) => {
    const controller = new TestController(agent.port);
    await controller.dial();
    const stages = assignmentOf()
      .stages.slice(0, 1)
      .map((stage) => ({ ...stage, durationMs: 3_600_000 }));
    controller.lease().prepare(assignmentOf({ target: 'null:', stages }));
    await controller.hear('ready');
    controller.say({ kind: 'start', stage: 0, epoch: 1, atNs: systemClock.nowNs() + 300_000_000n });
    await controller.hear('armed');
    controller.say({ kind: 'go', stage: 0, epoch: 1 });
    await controller.hear('interval', 2);
    process.kill(runnerPid(agent), 'SIGKILL');
    const result = await controller.hear('stageResult');
    assert.equal(
      (await controller.hear('error')).message,
      'workload process was killed by SIGKILL (out of memory?)',
    );
    assert.equal((await controller.hear('final')).state, 'FAILED');
    assert.equal(result.endedBy, 'killed');
    const last = controller.all('interval').at(-1);
    assert.equal(result.operations[0]?.count, last?.operations[0]?.count);
    const service = Histogram.decode(result.operations[0]?.service ?? new Uint8Array());
    assert.equal(service.count, last?.operations[0]?.count, 'histograms and counters agree');
    assert.equal(result.intervals, (last?.last ?? 0) + 1);
    await controller.goodbye();
  });
});
