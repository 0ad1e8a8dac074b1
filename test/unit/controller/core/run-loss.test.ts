import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultOf } from '../../../support/agent-driver.js';
import {
  fleetPlan,
  heartbeatOf,
  ScriptedFleet,
  stageOf,
  welcomeOf,
} from '../../../support/scripted-fleet.js';

const hundredSeconds = [stageOf({ durationMs: 100_000 })];

function recorded(fleet: ScriptedFleet): readonly string[] {
  return fleet.records('warning').map(({ line }) => line);
}

function running(count = 3): ScriptedFleet {
  return new ScriptedFleet(fleetPlan(count, { stages: hundredSeconds })).start().advance(51_090);
}

test('[RUN-03] a lost stream is told with time and work done; the others continue', () => {
  const fleet = running().refuse(0, 'dial').cut(0);
  const line = fleet.lines().at(-1)!;
  assert.match(line, /^Agent agent-1 disconnected after 51s \(completed 49% of work\)$/);
  assert.equal(fleet.run.snapshot(fleet.now).agents[0]!.link, 'DISCONNECTED');
  fleet.finish();
  assert.ok(
    fleet.lines().some((one) => one === 'Agent agent-1 did not come back: connection reset'),
  );
  assert.equal(fleet.end?.exitCode, 4);
  assert.equal(fleet.end.notRepresentative, false);
  assert.equal(fleet.records('interval').filter(({ agent }) => agent === 0).length, 49);
});

test('[RUN-03] a stage that went on without the agent is not told as work that it has done', () => {
  const stages = [0, 1].map((index) => stageOf({ index, durationMs: 10_000 }));
  const fleet = new ScriptedFleet(fleetPlan(3, { stages })).start().advance(5000);
  fleet.freeze(2).advance(25_000);
  assert.deepEqual(fleet.records('stageStart')[1]?.agents, [0, 1]);
  fleet.cut(2);
  assert.equal(
    fleet.lines().at(-1),
    'Agent agent-3 disconnected after 30s (completed 50% of work)',
    'since the first stage was armed',
  );
});

test('[RUN-03] all work is completed only when its results are here', () => {
  for (const [owing, percent] of [[0, 99] as const, [1, 100] as const]) {
    const plan = fleetPlan(3, { stages: hundredSeconds });
    const fleet = new ScriptedFleet(plan).refuse(owing, 'result').start();
    fleet.advance(103_000).cut(0);
    const says = `(completed ${String(percent)}% of work)`;
    assert.ok(fleet.lines().at(-1)?.endsWith(says), fleet.lines().at(-1));
  }
});

test('[RUN-03] the time that is told is that of the workload; before it began, that of the run', () => {
  const fleet = new ScriptedFleet(fleetPlan(3, { stages: hundredSeconds }));
  for (const agent of [0, 1, 2]) fleet.refuse(agent, 'prepare');
  fleet.start().advance(40_000).cut(0).advance(10_000);
  assert.ok(fleet.lines().includes('Agent agent-1 disconnected after 40s (completed 0% of work)'));
  for (const agent of [0, 1, 2]) fleet.says(agent, { kind: 'ready', stage: 0 });
  fleet.advance(26_400).refuse(0, 'dial').cut(0);
  assert.match(fleet.lines().at(-1)!, / disconnected after 26s \(completed 25% of work\)$/);
});

test('[RUN-03] without a duration the work is counted in operations', () => {
  const stages = [stageOf({ durationMs: undefined, maxOperations: 1000 })];
  const fleet = new ScriptedFleet(fleetPlan(2, { stages })).start().advance(5000);
  fleet.says(0, heartbeatOf({ operations: 210 })).cut(0);
  assert.match(fleet.lines().at(-1)!, / \(completed 42% of work\)$/);
});

test('[RUN-03] who is lost while cleaning up had completed its work; in a cleanup alone there was none', () => {
  for (const [mode, percent] of [['run', 100] as const, ['cleanup', 0] as const]) {
    const fleet = new ScriptedFleet(fleetPlan(2), { mode, cleanup: mode === 'run' });
    fleet.refuse(1, 'cleanup', 'prepare', 'dial');
    if (mode === 'run') fleet.obey(1, 'prepare');
    fleet.obey(1, 'dial').start().advance(15_000).refuse(1, 'dial').cut(1);
    const says = `(completed ${String(percent)}% of work)`;
    assert.ok(fleet.lines().at(-1)?.endsWith(says), fleet.lines().at(-1));
  }
});

test('[RUN-03] back within the window, nothing is lost: the run completes with exit 0', () => {
  const fleet = running().refuse(0, 'dial').cut(0).advance(20_000).obey(0, 'dial');
  for (const { generation } of fleet
    .effects('dial')
    .filter(({ agent }) => agent === 0)
    .slice(1)) {
    const failed = { kind: 'dialFailed', agent: 0, code: 'refused', message: 'refused' } as const;
    fleet.feed({ ...failed, generation });
  }
  fleet.finish();
  assert.ok(fleet.lines().includes('Agent agent-1 reconnected (stream 3)'));
  assert.equal(fleet.end?.exitCode, 0);
  assert.equal(fleet.records('interval').length, 300);
});

test('[RUN-03] the answer to every dial tells the agent which seconds are held', () => {
  const fleet = running().refuse(0, 'dial').cut(0).advance(1000);
  assert.deepEqual(fleet.effects('dial').at(-1)?.held, [{ stage: 0, first: 0, last: 48 }]);
});

test('[LINK-02] a message of an earlier generation is not heard', () => {
  const fleet = running().cut(0).advance(1000);
  const before = fleet.records('stageResult').length;
  fleet.feed({
    kind: 'message',
    agent: 0,
    generation: 1,
    message: { kind: 'stageResult', ...resultOf() },
    receivedNs: fleet.now.ns,
  });
  assert.equal(fleet.records('stageResult').length, before);
});

test('[LINK-02] the states of link and run are apart: a cut does not change what an agent is doing', () => {
  const fleet = running().refuse(0, 'dial').cut(0);
  const { state, link } = fleet.run.snapshot(fleet.now).agents[0]!;
  assert.deepEqual([state, link], ['RUNNING', 'DISCONNECTED']);
});

test('[RUN-19] with two agents one loss is the loss of the majority: exit 5', () => {
  const fleet = running(2).says(0, { kind: 'error', code: 'crashed', message: 'it crashed' });
  fleet.finish();
  assert.equal(fleet.end?.exitCode, 5);
  assert.equal(fleet.end.notRepresentative, true);
  assert.equal(fleet.sent('abort', 1).length, 1);
  const [decision] = fleet.records('decision');
  assert.deepEqual(decision, {
    type: 'decision',
    event: 'failed',
    agent: 0,
    verdict: 'abort (exit 5)',
  });
});

test('[RUN-19] failure_policy any: one survivor is enough, the result is partial', () => {
  const plan = fleetPlan(3, { stages: hundredSeconds, failurePolicy: 'any' });
  const fleet = new ScriptedFleet(plan).start().advance(20_000);
  for (const agent of [0, 1]) {
    fleet.says(agent, { kind: 'error', code: 'internal', message: 'broken' }).freeze(agent);
  }
  fleet.finish();
  assert.equal(fleet.end?.exitCode, 4);
  assert.match(
    fleet.end.reason!,
    /^1 of 3 agents completed \(Agents agent-1 and agent-2 failed: broken\)/,
  );
});

test('[RUN-19] a reconnect window of zero: a lost stream is a lost agent', () => {
  const base = fleetPlan(3, { stages: hundredSeconds });
  const plan = { ...base, timeouts: { ...base.timeouts, reconnectWindowMs: 0 } };
  const fleet = new ScriptedFleet(plan).start().advance(20_000).cut(1);
  assert.equal(fleet.run.snapshot(fleet.now).agents[1]!.state, 'FAILED');
  assert.equal(fleet.effects('dial').length, 3);
  assert.equal(fleet.finish().end?.exitCode, 4);
});

test('an agent that says goodbye in the middle is lost without a wait', () => {
  const fleet = running();
  fleet.says(0, { kind: 'error', code: 'stopped', message: 'agent stopped by operator' });
  fleet.says(0, { kind: 'final', state: 'ABORTED', reason: 'agent stopped by operator' });
  fleet.says(0, { kind: 'goodbye', reason: 'agent stopped by operator' }).cut(0);
  assert.equal(fleet.lines().at(-1), 'Agent agent-1 failed: agent stopped by operator');
  assert.equal(fleet.effects('dial').length, 3, 'it is not dialled again');
  assert.equal(fleet.finish().end?.exitCode, 4);
});

test('an agent lost between stages is left out; who is ready starts', () => {
  const stages = [stageOf({ durationMs: 3000 }), stageOf({ index: 1, durationMs: 3000 })];
  const fleet = new ScriptedFleet(fleetPlan(3, { stages })).start().advance(5000);
  fleet.says(2, { kind: 'error', code: 'crashed', message: 'it crashed' }).freeze(2).finish();
  assert.deepEqual(fleet.records('stageStart')[1]?.agents, [0, 1]);
  assert.equal(fleet.end?.exitCode, 4);
});

test('[RUN-19] who waits between stages for the files of an agent that is lost for good waits in vain: it fails, not after ten minutes of stall', () => {
  const stages = [stageOf({ durationMs: 3000 }), stageOf({ index: 1, durationMs: 3000 })];
  const fleet = new ScriptedFleet(fleetPlan(3, { stages }));
  for (const agent of [0, 1, 2]) fleet.refuse(agent, 'result');
  fleet.start().advance(6000);
  for (const agent of [0, 1]) {
    const { intervals } = fleet.agents[agent]!;
    fleet.agents[agent]!.stage = undefined;
    fleet.says(agent, { kind: 'state', state: 'DRAINING', reason: '' });
    fleet.says(agent, { kind: 'stageResult', ...resultOf({ intervals }) });
  }
  const files = { filesDone: 2, filesTotal: 3, bytesDone: 2, bytesTotal: 3 };
  const waits = { kind: 'progress', phase: 'wait', ...files } as const;
  const bothWait = (seconds: number): void => {
    for (let second = 0; second < seconds; second += 1) {
      fleet.says(0, waits).says(1, waits).advance(1000);
    }
  };
  const vain =
    /agent-2 cannot start stage .*: it waits for files of the dataset that agent-3 did not/;
  const isTold = (): boolean => fleet.lines().some((line) => vain.test(line));
  bothWait(12);
  assert.ok(!isTold(), 'agent-3 may still finish them');
  fleet.says(2, { kind: 'error', code: 'crashed', message: 'it crashed' });
  bothWait(80);
  assert.ok(!isTold(), 'they may not have seen yet what it did finish');
  bothWait(20);
  assert.ok(isTold());
  assert.ok(!fleet.lines().some((line) => line.includes('storage slow')));
  assert.equal(fleet.finish().end?.exitCode, 5);
});

test('who has completed its work is not lost any more, whatever becomes of it', () => {
  const fleet = running(2).refuse(1, 'result');
  fleet.completes(0, 0).refuse(0, 'dial').cut(0).advance(48_000).obey(1, 'result').finish();
  assert.equal(fleet.end?.exitCode, 0);
});

test('[RUN-03] who has completed its work and leaves says why, and is not waited for: not dialled, not cleaned', () => {
  const fleet = new ScriptedFleet(fleetPlan(3), { cleanup: true }).refuse(1, 'result').start();
  fleet.advance(15_000);
  const why = 'agent stopped by operator';
  fleet.says(0, { kind: 'goodbye', reason: why }).refuse(0, 'dial').cut(0);
  assert.equal(fleet.lines().at(-1), `Agent agent-1 left the run: ${why}`);
  const before = fleet.nowMs;
  fleet.completes(1, 0).finish();
  assert.ok(fleet.nowMs - before < 5000, 'the reconnect window is 30 s');
  assert.equal(fleet.effects('dial').length, 3);
  assert.equal(fleet.sent('cleanup', 0).length, 0);
  assert.deepEqual(recorded(fleet), [
    'Dataset not removed on agent-1: "bench-controller cleanup" removes it',
  ]);
  assert.equal(fleet.end?.exitCode, 0);
});

test('a loss while cleaning up is a warning: the results are complete', () => {
  const fleet = new ScriptedFleet(fleetPlan(2), { cleanup: true }).refuse(1, 'cleanup').start();
  fleet.advance(15_000).freeze(1).finish();
  assert.equal(fleet.end?.exitCode, 0);
  const left = 'Dataset not removed on agent-2: "bench-controller cleanup" removes it';
  assert.ok(fleet.lines().includes(left));
  assert.deepEqual(recorded(fleet), [left]);
});

test('what a cleanup had to leave is in the warnings of the results', () => {
  const fleet = new ScriptedFleet(fleetPlan(2), { cleanup: true }).refuse(1, 'cleanup').start();
  fleet.advance(15_000).says(1, { kind: 'cleaned', files: 1, warnings: ['/t/0 was kept'] });
  assert.equal(fleet.finish().end?.exitCode, 0);
  assert.deepEqual(recorded(fleet), ['agent-2: /t/0 was kept']);
});

test('a null: target leaves nothing behind, whatever becomes of its agent', () => {
  const agents = fleetPlan(2).agents.map((agent) => ({ ...agent, target: 'null:' }));
  const fleet = new ScriptedFleet(fleetPlan(2, { agents }), { cleanup: true });
  fleet.refuse(1, 'cleanup').start().advance(15_000).freeze(1).finish();
  assert.equal(fleet.end?.exitCode, 0);
  assert.ok(!fleet.lines().some((line) => line.includes('Dataset not removed')));
});

test('a cleanup that gets no further is given up after its time', () => {
  const fleet = new ScriptedFleet(fleetPlan(2), { cleanup: true }).refuse(1, 'cleanup').start();
  fleet.finish();
  assert.ok(fleet.lines().includes('Agent agent-2 got no further in its cleanup phase for 60s'));
  assert.equal(fleet.end?.exitCode, 0);
});

test('a kept dataset is not removed', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).start().finish();
  assert.equal(fleet.sent('cleanup').length, 0);
  assert.equal(fleet.end?.exitCode, 0);
});

test('a shared dataset whose part was left keeps its marker', () => {
  const plan = fleetPlan(3, { namespace: 'shared' });
  const fleet = new ScriptedFleet(plan, { cleanup: true }).refuse(2, 'cleanup').start().finish();
  assert.equal(fleet.sent('cleanup', 0).length, 0);
  assert.equal(fleet.sent('cleanup', 1).length, 1);
});

test('[LINK-06] an agent that does not know the run any more when it is dialled again was restarted: it is lost, what it kept is asked for', () => {
  const fleet = running().refuse(0, 'dial').cut(0).advance(1000);
  fleet.feed({ kind: 'dialed', agent: 0, generation: 2, ...welcomeOf(0, false) });
  const line = 'Agent agent-1 was restarted: its part of the run is lost';
  assert.ok(fleet.lines().includes(line));
  assert.deepEqual(fleet.effects('fetch'), [{ kind: 'fetch', agent: 0, instanceId: 'instance-0' }]);
  assert.equal(fleet.run.snapshot(fleet.now).agents[0]!.note, line);
  assert.equal(fleet.finish().end?.exitCode, 4);
});

test('an agent that says no when it is dialled again is lost without further dials', () => {
  const fleet = running().refuse(0, 'dial').cut(0).advance(1000);
  const message = 'run 7f3a is not known here (was the agent restarted?)';
  fleet.feed({ kind: 'dialFailed', agent: 0, generation: 2, code: 'secret', message });
  assert.ok(fleet.lines().includes(`Agent agent-1 is lost: ${message}`));
  const dials = fleet.effects('dial').length;
  fleet.advance(20_000);
  assert.equal(fleet.effects('dial').length, dials);
});

test('[LINK-06] what an agent kept is asked for when it has let go of the run, and when it failed and its stream broke', () => {
  const fleet = running().refuse(0, 'dial').cut(0).advance(1000);
  const message =
    'it let go of run 7f3a at 14:02 UTC: nothing was heard of the controller for 150s (lease)';
  fleet.feed({ kind: 'dialFailed', agent: 0, generation: 2, code: 'secret', message });
  assert.deepEqual(
    fleet.effects('fetch').map(({ agent }) => agent),
    [0],
  );
  const failed = running().says(1, { kind: 'error', code: 'lease', message: 'silence' });
  assert.ok(failed.lines().includes('Agent agent-2 gave the run up: silence'));
  assert.equal(failed.effects('fetch').length, 0, 'it may still come by the stream');
  failed.cut(1);
  assert.deepEqual(
    failed.effects('fetch').map(({ agent }) => agent),
    [1],
  );
  const told = running().says(1, { kind: 'error', code: 'lease', message: 'silence' });
  told.says(1, { kind: 'final', state: 'FAILED', reason: 'silence' }).cut(1);
  const refused = running().refuse(0, 'dial').cut(0).advance(1000);
  const dialFailed = { kind: 'dialFailed', agent: 0, generation: 2 } as const;
  refused.feed({ ...dialFailed, code: 'token', message: 'another token' });
  for (const other of [told, refused]) assert.deepEqual(other.effects('fetch'), []);
});

test('[RUN-03] a disconnected agent at the end of a stage: the stage does not wait, the next one does', () => {
  const stages = [stageOf({ durationMs: 5000 }), stageOf({ index: 1, durationMs: 5000 })];
  const fleet = new ScriptedFleet(fleetPlan(3, { stages })).start().advance(4000);
  fleet.refuse(2, 'dial').cut(2).advance(16_000);
  assert.ok(fleet.lines().includes('Agent agent-3 is not back at the end of stage first'));
  assert.equal(fleet.records('stageEnd').length, 1);
  assert.equal(fleet.records('stageStart').length, 1, 'it is alive inside its window');
  fleet.finish();
  assert.deepEqual(fleet.records('stageStart')[1]?.agents, [0, 1]);
  assert.equal(fleet.end?.exitCode, 4);
});

test('[RUN-03] back before the next start, with what was missing: nothing was lost', () => {
  const stages = [stageOf({ durationMs: 5000 }), stageOf({ index: 1, durationMs: 5000 })];
  const fleet = new ScriptedFleet(fleetPlan(3, { stages })).start().advance(4000);
  fleet.refuse(2, 'dial').cut(2).advance(16_000).obey(2, 'dial');
  const { generation } = fleet.effects('dial').at(-1)!;
  const failed = { kind: 'dialFailed', agent: 2, code: 'timeout', message: 'no answer' } as const;
  fleet.feed({ ...failed, generation }).finish();
  assert.equal(fleet.end?.exitCode, 0);
  assert.equal(fleet.records('interval').length, 30);
});
