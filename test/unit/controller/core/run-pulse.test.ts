import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetPlan, ScriptedFleet, stageOf } from '../../../support/scripted-fleet.js';

test('[RPC-06] every agent with a stream gets a lease once a second, in every phase', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(1, 'prepare').start().advance(10_500);
  assert.equal(fleet.sent('lease', 0).length, 10);
  assert.deepEqual(
    fleet.sent('lease', 1).map(({ count }) => count),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  fleet.refuse(1, 'dial').cut(1).advance(5000);
  assert.equal(fleet.sent('lease', 1).length, 10);
  assert.equal(fleet.sent('lease', 0).length, 15);
});

test('[RPC-06] [RPC-09] the leases of a large fleet are spread over the second, one to every agent', () => {
  const fleet = new ScriptedFleet(fleetPlan(60)).start().advance(2000);
  const sent = () => fleet.plan.agents.map(({ index }) => fleet.sent('lease', index).length);
  const begin = sent();
  const most = [];
  for (let before = begin, part = 0; part < 30; part++) {
    fleet.advance(100);
    const now = sent();
    most.push(now.reduce((sum, count, index) => sum + count - (before[index] ?? 0), 0));
    before = now;
  }
  assert.ok(Math.max(...most) <= 20, most.join());
  assert.deepEqual(
    sent().map((count, index) => count - (begin[index] ?? 0)),
    begin.map(() => 3),
  );
});

test('[RUN-25] a heartbeat is recorded every second, with how late it came', () => {
  const fleet = new ScriptedFleet(fleetPlan(1)).start().advance(3500).sleep(1200);
  fleet.feed({ kind: 'tick' });
  const beats = fleet.records('heartbeat');
  assert.deepEqual(
    beats.map(({ lateMs }) => Math.round(lateMs)),
    [0, 0, 0, 700],
  );
});

test('[RUN-25] a loop that is late by more than 500 ms is told, but not every second', () => {
  const fleet = new ScriptedFleet(fleetPlan(1)).start().advance(3100);
  const told = () => fleet.lines().filter((line) => line.includes('late by'));
  fleet.sleep(1400).feed({ kind: 'tick' });
  assert.deepEqual(told(), []);
  fleet.advance(1000).sleep(1001).feed({ kind: 'tick' });
  assert.match(
    told()[0]!,
    /^Controller was late by \d+ ms \(its machine is overloaded, or it was stopped\)$/,
  );
  for (let round = 0; round < 3; round += 1) fleet.sleep(1700).feed({ kind: 'tick' });
  assert.equal(told().length, 1);
});

test('[RUN-11] [STAT-01] the snapshot says what everybody is doing while the work runs', () => {
  const stages = [stageOf({ durationMs: 20_000 })];
  const fleet = new ScriptedFleet(fleetPlan(2, { stages })).start().advance(8000);
  const { phase, stage, stageCount, name, runId, agents } = fleet.run.snapshot(fleet.now);
  assert.deepEqual([phase, stageCount, name, runId], ['running', 1, 'test', '7f3a']);
  assert.equal(stage?.durationMs, 20_000);
  assert.ok(stage.elapsedMs > 5000 && stage.elapsedMs < 8000);
  for (const agent of agents) {
    assert.deepEqual([agent.state, agent.link, agent.note], ['RUNNING', 'CONNECTED', undefined]);
    assert.ok(agent.silentMs <= 1000);
    assert.equal(agent.latencyMs !== undefined, true);
  }
});

test('[RUN-11] before T0 the elapsed time is negative, after the planned end the phase is collecting', () => {
  const fleet = new ScriptedFleet(fleetPlan(1)).refuse(0, 'result').start().advance(1000);
  const arming = fleet.run.snapshot(fleet.now);
  assert.equal(arming.phase, 'arming');
  assert.ok(arming.stage!.elapsedMs < 0);
  fleet.advance(13_000);
  assert.equal(fleet.run.snapshot(fleet.now).phase, 'collecting');
  fleet.finish();
  assert.equal(fleet.run.snapshot(fleet.now).phase, 'finished');
});

test('[STAT-01] an agent is never shown as anything but running from its first second to its last', () => {
  const fleet = new ScriptedFleet(fleetPlan(3)).start().advance(2100);
  const seen = new Set<string>();
  for (let second = 0; second < 9; second += 1) {
    fleet.advance(1000);
    for (const { state } of fleet.run.snapshot(fleet.now).agents) seen.add(state);
  }
  assert.deepEqual([...seen], ['RUNNING']);
});

test('progress of preparing is shown in bytes where there are bytes, else in files', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(0, 'prepare').refuse(1, 'prepare').start();
  fleet.advance(500);
  const progress = { kind: 'progress', phase: 'prepare', filesDone: 1, filesTotal: 4 } as const;
  fleet.says(0, { ...progress, bytesDone: 5, bytesTotal: 50 });
  fleet.says(1, { ...progress, bytesDone: 0, bytesTotal: 0 });
  const [first, second] = fleet.run.snapshot(fleet.now).agents;
  assert.deepEqual(first!.progress, { done: 5, total: 50, unit: 'bytes' });
  assert.deepEqual(second!.progress, { done: 1, total: 4, unit: 'files' });
});

test('of work that is done all is shown, whatever the agent waits for or gets ready then', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(0, 'prepare').refuse(1, 'prepare').start();
  fleet.advance(500);
  const bytes = { bytesDone: 0, bytesTotal: 0 };
  const says = (
    phase: 'prepare' | 'wait' | 'stage',
    filesDone: number,
    filesTotal: number,
  ): void => {
    fleet.says(0, { kind: 'progress', phase, filesDone, filesTotal, ...bytes });
  };
  const shown = () => fleet.run.snapshot(fleet.now).agents[0]!.progress;
  says('prepare', 3, 4);
  assert.deepEqual(shown(), { done: 3, total: 4, unit: 'files' });
  says('prepare', 4, 4);
  says('wait', 5, 8);
  says('stage', 1, 64);
  assert.deepEqual(shown(), { done: 4, total: 4, unit: 'files' });
  fleet.says(0, { kind: 'ready', stage: 0 });
  assert.deepEqual(shown(), { done: 4, total: 4, unit: 'files' });
});

test('a machine that has finished does nothing more', () => {
  const fleet = new ScriptedFleet(fleetPlan(1)).start().finish();
  const before = fleet.all.length;
  fleet.feed({ kind: 'tick' }).feed({ kind: 'interrupt', signal: 'SIGINT' });
  assert.equal(fleet.all.length, before);
});
