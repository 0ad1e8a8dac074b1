import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { AgentSession } from '../../../src/agent/core/session.js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { Histogram } from '../../../src/shared/metrics/histogram.js';
import { operationKinds } from '../../../src/shared/model/operation.js';
import type { OperationStats } from '../../../src/shared/model/messages.js';
import { AgentDriver, assignmentOf, intervalOf } from '../../support/agent-driver.js';
import { cpuSecondsDuring, startAgentProcess } from '../../support/agent-process.js';
import { TestController } from '../../support/test-controller.js';
import { turnsFile } from '../../support/turns.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'muster-control-'));
after(() => {
  rmSync(folder, { recursive: true });
});

const linux = process.platform === 'linux' ? false : 'needs /proc to look into processes';

test(
  '[RPC-04] an idle agent uses next to no CPU and looks for nothing again and again',
  { skip: linux },
  async () => {
    // Its turns are not watched: that takes some CPU, too.
    const { program, port } = await startAgentProcess([], { [turnsFile]: '' });
    const controller = new TestController(port);
    await controller.dial();
    await controller.goodbye();
    const windowMs = 3_000;
    const before = wakeUps(program.pid);
    const seconds = await cpuSecondsDuring(program.pid, windowMs);
    const woken = wakeUps(program.pid) - before;
    await program.stop();
    const found = `${String(seconds)} s of CPU, woken ${String(woken)} times in ${String(windowMs / 1000)} s`;
    assert.ok(seconds < 0.1 && woken < 25, found);
  },
);

test(
  '[RPC-01] the control process has no file of the target open while the load runs',
  { skip: linux },
  async () => {
    const { program, port } = await startAgentProcess(['-v']);
    const controller = new TestController(port);
    await controller.dial();
    const stages = assignmentOf()
      .stages.slice(0, 1)
      .map((stage) => ({ ...stage, durationMs: 3_600_000 }));
    controller.lease().prepare(assignmentOf({ target: folder, stages }));
    await controller.hear('ready');
    controller.say({ kind: 'start', stage: 0, epoch: 1, atNs: systemClock.nowNs() + 300_000_000n });
    await controller.hear('armed');
    controller.say({ kind: 'go', stage: 0, epoch: 1 });
    await controller.hear('interval', 2);
    const runner = Number(/workload process (\d+) started/.exec(program.output)?.[1]);
    const inTarget = (pid: number): string[] => openFiles(pid).filter((f) => f.startsWith(folder));
    assert.deepEqual(inTarget(program.pid), []);
    assert.equal(readlinkSync(`/proc/${String(program.pid)}/cwd`), process.cwd());
    assert.notDeepEqual(inTarget(runner), [], 'the workload process has them');
    controller.say({ kind: 'abort', reason: 'test over' });
    await controller.hear('final');
    await controller.goodbye();
    await program.stop();
  },
);

test('[RPC-04] no turn of the control loop is long, not even the one that ends the largest stage', () => {
  const agent = new AgentDriver({ createHistogram: () => new Histogram() }).running();
  assert.ok(agent.session instanceof AgentSession);
  const longest = (act: () => unknown): number => {
    const before = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  const full = fullHistogram();
  const operations = operationKinds.map((operation): OperationStats => {
    const counters = { count: 1, bytes: 1, errors: [], missedSchedules: 0, unissuedSchedules: 0 };
    return { operation, ...counters, service: full, response: full, failed: full };
  });
  const turns = [0, 1, 2].map((k) =>
    longest(() =>
      agent.runner({ kind: 'interval', ...intervalOf({ first: k, last: k, operations }) }),
    ),
  );
  turns.push(longest(() => agent.runnerExits({ signal: 'SIGKILL' })));
  assert.equal(agent.sent('stageResult').length, 1);
  assert.ok(Math.max(...turns) < 300, `turns of ${turns.map(Math.round).join(', ')} ms`);
});

/** A count in every bucket from 1 ns to an hour. */
function fullHistogram(): Uint8Array {
  const histogram = new Histogram();
  for (let ns = 1; ns < 3.6e12; ns = Math.ceil(ns * 1.0009)) histogram.record(ns);
  return histogram.encode();
}

/** How often the main thread had nothing to do and then had, so far. */
function wakeUps(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/status`, 'utf8');
  return Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1]);
}

function openFiles(pid: number): string[] {
  const fds = `/proc/${String(pid)}/fd`;
  return readdirSync(fds).flatMap((fd) => {
    try {
      return [readlinkSync(path.join(fds, fd))];
    } catch {
      // Closed since the folder was read.
      return [];
    }
  });
}
