import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import type { Assignment } from '../../../src/shared/model/assignment.js';
import { assignmentOf } from '../../support/agent-driver.js';
import { fakeRunner, withAgent } from '../../support/agent-in-process.js';
import { TestController } from '../../support/test-controller.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'muster-agent-'));
after(() => {
  rmSync(folder, { recursive: true });
});

const nullAssignment: Partial<Assignment> = {
  target: 'null:',
  stages: assignmentOf().stages.slice(0, 1),
};

test('[LINK-05] a whole run with the real workload process: every message in its order, sums agree', async () => {
  await withAgent({}, async (agent) => {
    const controller = new TestController(agent.port);
    const { welcome, hello } = await controller.dial();
    assert.equal(hello.agentId, 'agent-1');
    assert.equal(hello.state, 'IDLE');
    assert.equal(welcome.resumed, false);
    assert.equal((JSON.parse(welcome.host) as { cpus: number }).cpus, os.cpus().length);
    const target = path.join(folder, 'whole');
    mkdirSync(target);
    controller.lease().prepare(
      assignmentOf({
        target,
        stages: assignmentOf()
          .stages.slice(0, 1)
          .map((stage) => ({ ...stage, durationMs: 2000 })),
      }),
    );
    await controller.hear('ready');
    controller.say({ kind: 'probe', id: 1, t1Ns: systemClock.nowNs() });
    const probe = await controller.hear('probeReply');
    assert.ok(probe.t1Ns < probe.t2Ns && probe.t2Ns <= probe.t3Ns, 'one machine, one clock');
    const atNs = systemClock.nowNs() + 500_000_000n;
    controller.say({ kind: 'start', stage: 0, epoch: 1, atNs });
    await controller.hear('armed');
    controller.say({ kind: 'go', stage: 0, epoch: 1 });
    const started = await controller.hear('started');
    assert.equal(started.atNs, atNs);
    assert.ok(started.firstOperationNs >= atNs);
    const result = await controller.hear('stageResult');
    const final = await controller.hear('final');
    assert.equal(final.state, 'COMPLETED');
    assert.equal(result.endedBy, 'duration');
    const last = controller.all('interval').at(-1);
    assert.equal(last?.operations[0]?.count, result.operations[0]?.count);
    assert.ok((result.operations[0]?.count ?? 0) > 0);
    controller.say({ kind: 'cleanup' });
    await controller.hear('cleaned');
    assert.deepEqual(readdirSync(target), []);
    assert.equal(controller.all('ready').length, 1);
    assert.deepEqual(
      controller.all('state').map(({ state }) => state),
      ['PREPARING', 'RUNNING', 'DRAINING', 'CLEANING'],
    );
    assert.ok(controller.all('heartbeat').length >= 1);
    await controller.goodbye();
    const next = new TestController(agent.port, { runId: 'next' });
    assert.equal((await next.dial()).hello.owner, undefined, 'reusable at once');
    await next.goodbye();
  });
});

test('[RUN-16] heartbeats show the memory of both processes while the load runs', async () => {
  await withAgent({}, async (agent) => {
    const controller = new TestController(agent.port);
    await controller.dial();
    controller.lease().prepare(assignmentOf(nullAssignment));
    await controller.hear('ready');
    const beat = await controller.until('heartbeat with the runner in it', () =>
      controller.all('heartbeat').find(({ runnerRssBytes }) => runnerRssBytes > 0),
    );
    assert.ok(beat.agentRssBytes > 10e6 && beat.runnerRssBytes > 10e6);
    await controller.goodbye();
  });
});

test('[RUN-12] an abort in the start wait ends the run without load, far before its instant', async () => {
  await withAgent({}, async (agent) => {
    const controller = new TestController(agent.port);
    await controller.dial();
    controller.lease().prepare(assignmentOf(nullAssignment));
    await controller.hear('ready');
    const atNs = systemClock.nowNs() + 3_600_000_000_000n;
    controller.say({ kind: 'start', stage: 0, epoch: 1, atNs });
    await controller.hear('armed');
    controller.say({ kind: 'go', stage: 0, epoch: 1 });
    controller.say({ kind: 'abort', reason: 'Ctrl-C' });
    const final = await controller.hear('final');
    assert.deepEqual(final, { kind: 'final', state: 'ABORTED', reason: 'Ctrl-C' });
    assert.equal(controller.all('started').length + controller.all('interval').length, 0);
    await controller.until('line', () =>
      controller.all('log').find(({ line }) => line === 'Coordinated start cancelled by ABORT'),
    );
    await controller.goodbye();
  });
});

test('[RUN-27] a workload process that dies in prepare fails the run with its exit code', async () => {
  await withAgent({ runnerEntry: fakeRunner }, async (agent) => {
    const controller = new TestController(agent.port);
    await controller.dial();
    controller.prepare(assignmentOf({ target: 'exit' }));
    const error = await controller.hear('error');
    assert.equal(error.code, 'crashed');
    assert.match(error.message, /exited with code 7/);
    assert.equal((await controller.hear('final')).state, 'FAILED');
    await controller.goodbye();
  });
});

test('a workload process that does not react to an abort is killed, and the agent is reusable', async () => {
  await withAgent({ runnerEntry: fakeRunner }, async (agent) => {
    const controller = new TestController(agent.port);
    await controller.dial();
    const timeouts = { ...assignmentOf().timeouts, abortMs: 500 };
    controller.prepare(assignmentOf({ target: 'ready,deaf', timeouts }));
    await controller.hear('ready');
    controller.say({ kind: 'abort', reason: 'Ctrl-C' });
    assert.equal((await controller.hear('final')).state, 'ABORTED');
    assert.ok(agent.lines.some((line) => /did not stop in time: killing it/.test(line)));
    await controller.goodbye();
    const next = new TestController(agent.port, { runId: 'next' });
    await next.dial();
    next.prepare(assignmentOf({ runId: 'next', target: 'ready' }));
    await next.hear('ready');
    await next.goodbye();
  });
});

test('a second controller is refused with the owner, and with steal takes the agent', async () => {
  await withAgent({ runnerEntry: fakeRunner }, async (agent) => {
    const first = new TestController(agent.port);
    await first.dial();
    first.prepare(assignmentOf({ target: 'ready' }));
    await first.hear('ready');
    const second = new TestController(agent.port, { runId: 'beef', identity: 'ann@ctl2' });
    await assert.rejects(second.dial(), /busy: run 7f3a of root@ctl1 since .*, READY/);
    first.say({ kind: 'ping', id: 5 });
    await first.hear('pong');
    const thief = new TestController(agent.port, { runId: 'beef', steal: true });
    await thief.dial();
    assert.match((await first.hear('error')).message, /taken over by run beef/);
    assert.equal((await first.hear('final')).state, 'ABORTED');
    await first.hear('goodbye');
    assert.match((await thief.hear('log')).line, /taken away from run 7f3a/);
    thief.prepare(assignmentOf({ runId: 'beef', target: 'ready' }));
    await thief.hear('ready');
    await thief.goodbye();
  });
});

test('[LINK-04] a run goes on over a new stream: same state, every reliable message exactly once', async () => {
  await withAgent({ runnerEntry: fakeRunner }, async (agent) => {
    const controller = new TestController(agent.port);
    await controller.dial();
    controller.lease().prepare(assignmentOf({ target: 'ready' }));
    await controller.hear('ready');
    controller.vanish();
    await controller.end();
    const { welcome, hello } = await controller.dial();
    assert.equal(welcome.resumed, true);
    assert.equal(hello.state, 'READY');
    controller.say({ kind: 'start', stage: 0, epoch: 1, atNs: 1n });
    await controller.hear('armed');
    controller.vanish();
    await controller.end();
    await controller.dial();
    controller.say({ kind: 'go', stage: 0, epoch: 1 });
    await controller.hear('started');
    assert.equal(controller.all('ready').length, 1);
    assert.equal(controller.all('armed').length, 1);
    await controller.goodbye();
  });
});

test('with once a run that is over ends the agent with 0', async () => {
  await withAgent({ once: true, runnerEntry: fakeRunner }, async (agent) => {
    const controller = new TestController(agent.port);
    await controller.dial();
    controller.prepare(assignmentOf({ target: 'ready' }));
    await controller.hear('ready');
    await controller.goodbye();
    assert.equal(await agent.left, 0);
  });
});

test('with once a controller that is gone ends the agent with 0 after the window', async () => {
  await withAgent({ once: true, runnerEntry: fakeRunner }, async (agent) => {
    const controller = new TestController(agent.port);
    await controller.dial();
    const timeouts = { ...assignmentOf().timeouts, reconnectWindowMs: 0 };
    controller.prepare(assignmentOf({ target: 'ready', timeouts }));
    await controller.hear('ready');
    controller.vanish();
    assert.equal(await agent.left, 0);
    const words = agent.lines.join('\n');
    assert.match(words, /Stream (error|closed by controller)/);
    assert.match(words, /Controller disconnected - aborting/);
    assert.match(words, /Controller disconnected - exiting/);
  });
});

const linux = process.platform === 'linux' ? false : 'needs /proc to look into processes';

test('[RPC-10] runs in a row leave no file and no handle behind', { skip: linux }, async () => {
  await withAgent({ runnerEntry: fakeRunner }, async (agent) => {
    const files: number[] = [];
    const handles: number[] = [];
    for (let run = 0; run < 20; run++) {
      const runId = `run-${String(run)}`;
      const controller = new TestController(agent.port, { runId });
      await controller.dial();
      controller.lease().prepare(assignmentOf({ runId, target: 'ready' }));
      await controller.hear('ready');
      controller.say({ kind: 'abort', reason: 'enough' });
      await controller.hear('final');
      await controller.goodbye();
      files.push(readdirSync('/proc/self/fd').length);
      handles.push(process.getActiveResourcesInfo().length);
    }
    // The last workload process may still be leaving, so looks differ by a few; one left per run would add up to 15.
    for (const counts of [files, handles]) {
      const growth = Math.max(...counts.slice(15)) - Math.min(...counts.slice(0, 5));
      assert.ok(growth < 10, counts.join(' '));
    }
  });
});
