import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentMessage } from '../../../../src/shared/model/messages.js';
import { fleetPlan, heartbeatOf, ScriptedFleet } from '../../../support/scripted-fleet.js';

const progress = (filesDone: number): AgentMessage => ({
  kind: 'progress',
  phase: 'prepare',
  filesDone,
  filesTotal: 100,
  bytesDone: 0,
  bytesTotal: 0,
});

/** Agent 1 of three does not get ready; the others are. */
function preparing(): ScriptedFleet {
  return new ScriptedFleet(fleetPlan(3)).refuse(1, 'prepare').start().advance(500);
}

test('[RUN-05] 30 s of silence while preparing is a crash: all are aborted, exit 3', () => {
  const fleet = preparing().freeze(1).advance(29_000);
  assert.equal(fleet.effects('finished').length, 0);
  fleet.finish();
  const lines = fleet.lines();
  assert.ok(!lines.some((line) => line.includes('storage')), 'silence is no sign of slow storage');
  assert.ok(lines.includes('Agent agent-2 crashed during prepare phase (no response for 30s)'));
  assert.ok(lines.some((line) => /^Only 2\/3 agents ready after (29|30)s$/.test(line)));
  assert.ok(lines.includes('Aborting... Sent ABORT to 3 agents... Waiting for cleanup...'));
  assert.ok(lines.includes('agent-2 not reached; it stops by itself within 121s'));
  assert.equal(fleet.end?.exitCode, 3);
  assert.ok(fleet.nowMs < 40_000, 'the controller does not hang on the crashed agent');
});

test('[RUN-05] an agent that was killed while preparing is found out in the same time', () => {
  const fleet = preparing().refuse(1, 'dial').cut(1).finish();
  assert.ok(
    fleet.lines().includes('Agent agent-2 crashed during prepare phase (no response for 30s)'),
  );
  assert.ok(!fleet.lines().some((line) => line.includes('storage')));
  assert.equal(fleet.end?.exitCode, 3);
});

test('[RUN-05] an agent that is heard again after a silence is not called slow for what it could not say', () => {
  for (const silentMs of [8000, 20_000]) {
    const fleet = preparing().says(1, progress(5)).advance(4000).freeze(1).advance(silentMs);
    const stalled = () => fleet.lines().filter((line) => line.includes('storage'));
    fleet.obey(1, 'heartbeat').advance(9000);
    assert.deepEqual(stalled(), []);
    fleet.advance(2500);
    assert.deepEqual(stalled(), [
      'agent-2: answers, but got no further for 10s (storage slow or stalled?)',
    ]);
  }
});

test('[RUN-05] slow storage is not a crash: preparing may take hours as long as it gets on', () => {
  const fleet = preparing();
  for (let minute = 0; minute < 180; minute += 1) fleet.says(1, progress(minute)).advance(60_000);
  assert.equal(fleet.end, undefined);
  assert.equal(fleet.run.snapshot(fleet.now).phase, 'preparing');
  fleet.says(1, { kind: 'ready', stage: 0 }).finish();
  assert.equal(fleet.end!.exitCode, 0);
});

test('[RUN-05] standing still is warned of after 10 s, and given up after prepare_io_stall', () => {
  const fleet = preparing().says(1, progress(5));
  const stalled = () => fleet.lines().filter((line) => line.includes('got no further'));
  for (let second = 0; second < 9; second += 1) fleet.says(1, progress(5)).advance(1000);
  assert.deepEqual(stalled(), []);
  fleet.says(1, progress(5)).advance(2000);
  assert.deepEqual(stalled(), [
    'agent-2: answers, but got no further for 10s (storage slow or stalled?)',
  ]);
  fleet.says(1, progress(6)).advance(11_000);
  assert.equal(stalled().length, 2, 'one warning per standstill');
  fleet.advance(590_000);
  assert.ok(
    fleet.lines().includes('Agent agent-2 got no further in its prepare phase for 600s'),
    fleet.lines().join('\n'),
  );
  assert.equal(fleet.finish().end?.exitCode, 3);
});

test('[RUN-05] a workload process that does not report is not called slow storage: it may be stopped', () => {
  const fleet = preparing().says(1, progress(5)).refuse(1, 'heartbeat');
  for (let second = 1; second <= 11; second += 1) {
    fleet.says(1, heartbeatOf({ runnerSilenceNs: second * 1e9 })).advance(1000);
  }
  assert.deepEqual(
    fleet.lines().filter((line) => line.includes('got no further')),
    [
      'agent-2: answers, but got no further for 10s (its workload process does not report: stopped, no CPU for it, or stuck on storage itself?)',
    ],
  );
});

test('[RUN-05] threads that take long to start are not called slow storage', () => {
  const fleet = preparing();
  const threads = { kind: 'progress', phase: 'threads', bytesDone: 0, bytesTotal: 0 } as const;
  const said = () => fleet.lines().filter((line) => line.includes('got no further'));
  for (let second = 0; second <= 10; second += 1) {
    fleet.says(1, { ...threads, filesDone: 40, filesTotal: 64 }).advance(1000);
  }
  const line =
    'agent-2: answers, but got no further for 10s (setting up threads, 40 of 64: CPUs busy?)';
  assert.deepEqual(said(), [line]);
  assert.deepEqual(fleet.run.snapshot(fleet.now).agents[1]?.threads, { done: 40, total: 64 });
  assert.equal(
    fleet.run.snapshot(fleet.now).agents[1]?.progress,
    undefined,
    'threads are no files',
  );
  // All are started: now they open their files.
  fleet.says(1, { ...threads, phase: 'stage', filesDone: 0, filesTotal: 64 }).advance(11_000);
  assert.equal(fleet.run.snapshot(fleet.now).agents[1]?.threads, undefined);
  assert.match(said()[1] ?? '', /storage slow or stalled/u);
});

test('[RUN-05] an error of one agent ends the preparing of all, with its words', () => {
  const fleet = preparing();
  fleet.says(1, { kind: 'error', code: 'space', message: '/mnt/bench: no space left' });
  fleet.says(1, { kind: 'final', state: 'FAILED', reason: 'no space left' }).finish();
  const line = 'Agent agent-2 failed: /mnt/bench: no space left';
  assert.ok(fleet.lines().includes(line));
  assert.deepEqual(fleet.end, {
    kind: 'finished',
    outcome: 'failed',
    exitCode: 3,
    reason: line,
    notRepresentative: false,
  });
  assert.equal(fleet.sent('abort', 0).length, 1);
  assert.equal(fleet.sent('abort', 1).length, 0, 'it has said its last word');
});

function failsToPrepare(fleet: ScriptedFleet, agent: number): void {
  fleet.says(agent, { kind: 'error', code: 'space', message: 'no space left' });
  fleet.says(agent, { kind: 'final', state: 'FAILED', reason: 'no space left' });
}

test('[RUN-05] the reason names every agent that failed in prepare, and says once what is the same of them', () => {
  const failing = (count: number): string | undefined => {
    const fleet = new ScriptedFleet(fleetPlan(count + 1));
    for (let agent = 0; agent <= count; agent += 1) {
      fleet.refuse(agent, 'prepare').refuse(agent, 'abort');
    }
    fleet.start().advance(500);
    for (let agent = 1; agent <= count; agent += 1) failsToPrepare(fleet, agent);
    const { exitCode, reason } = fleet.finish().end ?? {};
    assert.equal(exitCode, 3);
    return reason;
  };
  assert.equal(failing(1), 'Agent agent-2 failed: no space left');
  assert.equal(failing(3), 'Agents agent-2, agent-3 and agent-4 failed: no space left');
  const ten = Array.from({ length: 10 }, (_, index) => `agent-${String(index + 2)}`);
  assert.equal(failing(99), `Agents ${ten.join(', ')} and 89 more failed: no space left`);
});

test('[RUN-05] who cannot be reached while a prepare is given up is not named as a cause of it', () => {
  const fleet = new ScriptedFleet(fleetPlan(3));
  for (const agent of [0, 1, 2]) fleet.refuse(agent, 'prepare').refuse(agent, 'abort');
  fleet.start().advance(500);
  failsToPrepare(fleet, 1);
  fleet.says(2, { kind: 'goodbye', reason: 'told to stop' });
  fleet.finish();
  assert.equal(fleet.end?.reason, 'Agent agent-2 failed: no space left');
});

test('[RUN-09] after Ctrl-C the reason is the interrupt, whatever fails then', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(0, 'prepare').refuse(1, 'prepare');
  fleet.refuse(0, 'abort').refuse(1, 'abort').start().advance(500);
  fleet.feed({ kind: 'interrupt', signal: 'SIGINT' });
  failsToPrepare(fleet, 1);
  fleet.finish();
  assert.equal(fleet.end?.reason, 'interrupted by Ctrl-C');
});

test('a private dataset is prepared by all at once', () => {
  const fleet = new ScriptedFleet(fleetPlan(3)).refuse(0, 'prepare').start().advance(500);
  assert.equal(fleet.sent('prepare').length, 3);
});

test('in a shared dataset the first agent makes the marker before the others are told', () => {
  const plan = fleetPlan(3, { namespace: 'shared' });
  const fleet = new ScriptedFleet(plan).refuse(0, 'prepare').start().advance(500);
  assert.deepEqual(
    [0, 1, 2].map((agent) => fleet.sent('prepare', agent).length),
    [1, 0, 0],
  );
  fleet.says(0, heartbeatOf()).says(0, { kind: 'marked' });
  assert.deepEqual(fleet.records('prepared'), [], 'it has only begun');
  assert.deepEqual(
    [0, 1, 2].map((agent) => fleet.sent('prepare', agent).length),
    [1, 1, 1],
  );
  assert.equal(fleet.says(0, { kind: 'ready', stage: 0 }).finish().end?.exitCode, 0);
});

test('[RES-05] what an agent did for its part of the dataset is on record', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).start().advance(500);
  const prepared = { files: 3, bytes: 3000, kept: 1, tookNs: 5e8 };
  fleet.says(1, { kind: 'marked' }).says(1, { kind: 'marked', prepared });
  assert.deepEqual(fleet.records('prepared'), [{ type: 'prepared', agent: 1, prepared }]);
});

test('an assignment travels as it was split', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).start().advance(500);
  const assignment = JSON.parse(fleet.sent('prepare', 1)[0]!.assignment);
  assert.equal(assignment.agentIndex, 1);
  assert.equal(assignment.mode, 'run');
});

test('mode prepare ends when every dataset is complete; nothing is started', () => {
  const fleet = new ScriptedFleet(fleetPlan(2), { mode: 'prepare' }).start().finish();
  assert.equal(fleet.end?.exitCode, 0);
  assert.equal(fleet.sent('start').length, 0);
  assert.equal(fleet.sent('goodbye').length, 2);
});

test('mode cleanup of a shared dataset: the first agent comes last and removes the marker', () => {
  const plan = fleetPlan(3, { namespace: 'shared' });
  const fleet = new ScriptedFleet(plan, { mode: 'cleanup' }).refuse(2, 'prepare').start();
  fleet.advance(500);
  assert.equal(fleet.sent('prepare', 0).length, 0);
  fleet.says(2, { kind: 'cleaned', files: 2, warnings: [] }).finish();
  assert.equal(fleet.sent('prepare', 0).length, 1);
  assert.equal(fleet.end?.exitCode, 0);
});
