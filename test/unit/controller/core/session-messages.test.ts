import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkReport } from '../../../../src/shared/model/link-metrics.js';
import type { AgentMessage } from '../../../../src/shared/model/messages.js';
import { agentEndpoint } from '../../../../src/shared/wire/link-endpoint.js';
import { intervalOf, resultOf } from '../../../support/agent-driver.js';
import { fleetPlan, heartbeatOf, ScriptedFleet, stageOf } from '../../../support/scripted-fleet.js';

const stages = [stageOf({ durationMs: 5000 }), stageOf({ index: 1, durationMs: 5000 })];

/** One agent that has been told to go, and of which nothing has been heard since. */
function told(): ScriptedFleet {
  const fleet = new ScriptedFleet(fleetPlan(1, { stages })).start().advance(2500);
  return fleet.freeze(0);
}

const stateOf = (fleet: ScriptedFleet) => fleet.run.snapshot(fleet.now).agents[0]!.state;
const ready: AgentMessage = { kind: 'ready', stage: 1 };
const state = (to: 'RUNNING' | 'DRAINING' | 'PREPARING' | 'READY'): AgentMessage => ({
  kind: 'state',
  state: to,
  reason: '',
});

test('[LINK-05] the READY of the next stage may overtake the result of this one', () => {
  const fleet = told().says(0, state('RUNNING')).says(0, state('DRAINING')).says(0, ready);
  assert.equal(stateOf(fleet), 'READY');
  assert.equal(fleet.records('stageEnd').length, 0, 'the result is what ends a stage');
  fleet.says(0, { kind: 'interval', ...intervalOf({ first: 0, last: 4 }) });
  assert.equal(stateOf(fleet), 'READY', 'a late interval is old news');
  fleet.says(0, { kind: 'stageResult', ...resultOf({ intervals: 5 }) });
  assert.equal(fleet.records('stageEnd').length, 1);
  assert.deepEqual(
    fleet.lines().filter((line) => line.includes('Invalid')),
    [],
  );
});

test('[LINK-05] a result may overtake the news that the stage runs', () => {
  const fleet = told().says(0, { kind: 'stageResult', ...resultOf({ intervals: 0 }) });
  assert.equal(fleet.records('stageEnd').length, 1);
  fleet.says(0, state('RUNNING')).says(0, state('DRAINING')).says(0, ready);
  assert.equal(stateOf(fleet), 'READY');
});

test('[LINK-05] Final may overtake everything: what was announced before is old news', () => {
  const fleet = new ScriptedFleet(fleetPlan(1)).start().advance(2500).freeze(0);
  fleet.says(0, { kind: 'stageResult', ...resultOf({ intervals: 1 }) });
  fleet.says(0, { kind: 'final', state: 'COMPLETED', reason: '' });
  fleet.says(0, state('RUNNING')).says(0, state('DRAINING'));
  assert.equal(stateOf(fleet), 'COMPLETED');
  fleet.says(0, { kind: 'interval', ...intervalOf() });
  assert.equal(fleet.end?.exitCode, 0);
});

test('an interval that is held already is not recorded again; one that overlaps is refused', () => {
  const fleet = told();
  for (const [first, last] of [
    [0, 0],
    [0, 0],
    [1, 3],
    [2, 3],
    [3, 4],
  ] as const) {
    fleet.says(0, { kind: 'interval', ...intervalOf({ first, last }) });
  }
  assert.deepEqual(
    fleet.records('interval').map(({ interval }) => [interval.first, interval.last]),
    [
      [0, 0],
      [1, 3],
    ],
  );
  assert.deepEqual(
    fleet.lines().filter((line) => line.includes('overlaps')),
    ['Agent agent-1: interval 3-4 overlaps others (ignoring)'],
  );
});

test('a second result of one stage is refused', () => {
  const fleet = told();
  fleet.says(0, { kind: 'stageResult', ...resultOf() });
  fleet.says(0, { kind: 'stageResult', ...resultOf() });
  assert.equal(fleet.records('stageResult').length, 1);
  assert.match(fleet.lines().at(-1)!, /second result of stage first \(ignoring\)/);
});

test('stages are called by their names, not by their numbers', () => {
  const names = ['fill', 'mixed'].map((name, index) => stageOf({ index, name }));
  const fleet = new ScriptedFleet(fleetPlan(1, { stages: names })).start().advance(1000);
  fleet.says(0, { kind: 'stageResult', ...resultOf({ stage: 1 }) });
  fleet.says(0, { kind: 'interval', ...intervalOf({ stage: 1, first: 3, last: 3 }) });
  fleet.says(0, { kind: 'ready', stage: 9 });
  assert.deepEqual(fleet.lines().slice(-3), [
    'Agent agent-1: result of stage mixed, which it has not begun (ignoring)',
    'Agent agent-1: interval 3-3 of stage mixed cannot be (ignoring)',
    'Agent agent-1 sent READY for stage 9 (ignoring)',
  ]);
});

test('[RUN-15] an impossible transition is logged and not made', () => {
  const fleet = new ScriptedFleet(fleetPlan(1)).start().advance(1000);
  fleet.says(0, state('DRAINING'));
  assert.equal(fleet.lines().at(-1), 'Agent agent-1: Invalid transition: ARMED -> DRAINING');
  assert.equal(stateOf(fleet), 'ARMED');
});

test('[RUN-08] an invalid message is told with its sequence and ignored', () => {
  const fleet = told();
  const sequence = 2n ** 63n + 1n;
  const reason = 'decode error: checksum';
  fleet.feed({ kind: 'invalid', agent: 0, generation: 1, sequence, reason });
  assert.equal(
    fleet.lines().at(-1),
    'Agent agent-1: ignoring invalid message (sequence 9223372036854775809): decode error: checksum',
  );
  assert.equal(fleet.end, undefined);
  fleet.feed({ kind: 'invalid', agent: 0, generation: 7, sequence: 1n, reason });
  assert.equal(fleet.lines().filter((line) => line.includes('invalid')).length, 1);
});

test('[RUN-08] invalid messages prove life all the same', () => {
  const fleet = told();
  for (let second = 0; second < 20; second += 1) {
    const reason = 'decode error: checksum';
    fleet.advance(1000).feed({ kind: 'invalid', agent: 0, generation: 1, sequence: 1n, reason });
  }
  assert.deepEqual(fleet.effects('helloProbe'), []);
});

test('[LINK-03] a ping is answered, and the round trip of our own is measured', () => {
  const fleet = told().advance(3000);
  fleet.says(0, { kind: 'ping', id: 77 });
  assert.deepEqual(fleet.sent('pong'), [{ kind: 'pong', id: 77 }]);
  const { id } = fleet.sent('ping')[0]!;
  fleet.advance(1500).says(0, { kind: 'pong', id });
  const { latencyMs } = fleet.run.snapshot(fleet.now).agents[0]!;
  assert.ok(latencyMs !== undefined && latencyMs >= 1500);
  fleet.says(0, { kind: 'pong', id: 4242 });
  assert.equal(fleet.run.snapshot(fleet.now).agents[0]!.latencyMs, latencyMs);
  fleet.says(0, { kind: 'interval', ...intervalOf({ first: 0, last: 0 }) });
  const later = fleet.run.snapshot(fleet.now).agents[0]!;
  assert.notEqual(later.latencyMs, latencyMs);
  assert.equal(later.roundTripMs, latencyMs, 'the age of stats is no round trip');
});

test('what an agent logs is told with its name', () => {
  const fleet = told().says(0, { kind: 'log', level: 'warn', line: 'it is warm here' });
  assert.deepEqual(fleet.effects('notice').at(-1), {
    kind: 'notice',
    level: 'warn',
    line: 'agent-1: it is warm here',
  });
});

test('[STAT-02] what an agent says for the results is among their warnings at once, ten times at most', () => {
  const line = 'No spool is written';
  const fleet = told().says(0, { kind: 'log', level: 'warn', line, inResults: true });
  assert.deepEqual(fleet.records('warning'), [{ type: 'warning', line: `agent agent-1: ${line}` }]);
  assert.equal(fleet.lines().at(-1), `agent-1: ${line}`);
  for (let more = 0; more < 20; more += 1) {
    fleet.says(0, { kind: 'log', level: 'warn', line: String(more), inResults: true });
  }
  assert.equal(fleet.records('warning').length, 10);
});

test('[RUN-10] an agent that keeps nothing on its host owes nothing that could be fetched', () => {
  const counted = agentEndpoint({ session: '7f3a', mergeHistograms: (a) => a }).metrics();
  const lost = (checkpointBytes: number | undefined): boolean | undefined => {
    const fleet = told();
    if (checkpointBytes !== undefined) {
      const report = linkReport(counted, { checkpoints: 0, checkpointBytes });
      fleet.says(0, { kind: 'linkReport', ...report });
    }
    return fleet.refuse(0, 'dial').cut(0).finish().run.sessions[0]?.isOwing;
  };
  assert.equal(lost(undefined), true, 'it has not said');
  assert.equal(lost(300), true);
  assert.equal(lost(0), false);
});

test('an answer to a preflight is passed on', () => {
  const fleet = told().says(0, { kind: 'checked', report: '{"free":1}' });
  assert.deepEqual(fleet.effects('checked'), [{ kind: 'checked', agent: 0, report: '{"free":1}' }]);
});

test('facts of the host are recorded as they are, also when they are no JSON', () => {
  const fleet = new ScriptedFleet(fleetPlan(1)).start();
  assert.deepEqual(fleet.records('agent')[0]?.facts.host, {});
});

test('[RES-04] where an agent found its data is recorded beside what is known of its host', () => {
  const fleet = new ScriptedFleet(fleetPlan(1)).start();
  const [before] = fleet.records('agent');
  const mount = { point: '/mnt', type: 'xfs', device: '/dev/sdx', options: ['rw', 'noatime'] };
  const facts = { realPath: '/mnt/bench', mount, given: null };
  fleet.says(0, { kind: 'target', facts: JSON.stringify(facts) });
  const after = fleet.records('agent').at(-1)?.facts;
  assert.deepEqual(after, { ...before?.facts, target: facts });
  fleet.says(0, { kind: 'target', facts: 'no JSON' });
  assert.equal(fleet.records('agent').at(-1)?.facts.target, 'no JSON');
});

test('an agent that comes back to clean up may still say that it is ready for a stage that went on without it', () => {
  const fleet = new ScriptedFleet(fleetPlan(3, { stages }), { cleanup: true });
  fleet.refuse(1, 'cleanup').refuse(0, 'cleanup').start().advance(4000).freeze(0);
  for (let s = 0; fleet.run.snapshot(fleet.now).phase !== 'cleaning'; s++) {
    assert.ok(s < 60, fleet.lines().join());
    fleet.advance(1000);
  }
  fleet.obey(0, 'heartbeat', 'interval', 'result').says(0, heartbeatOf()).advance(1000);
  assert.equal(stateOf(fleet), 'CLEANING');
  fleet.says(0, { kind: 'ready', stage: 1 });
  assert.equal(stateOf(fleet), 'CLEANING');
  assert.deepEqual(
    fleet.lines().filter((line) => /Invalid transition|READY/.test(line)),
    [],
  );
});

test('an agent that was told to clean up may still announce the state before', () => {
  const fleet = new ScriptedFleet(fleetPlan(1), { cleanup: true }).refuse(0, 'cleanup').start();
  fleet
    .refuse(0, 'result')
    .advance(14_000)
    .says(0, { kind: 'stageResult', ...resultOf({ intervals: 10 }) });
  fleet.advance(fleet.plan.timeouts.collectMs + 500);
  assert.equal(fleet.run.snapshot(fleet.now).phase, 'cleaning');
  fleet.says(0, state('DRAINING')).says(0, { kind: 'state', state: 'COMPLETED', reason: '' });
  fleet.says(0, { kind: 'final', state: 'COMPLETED', reason: '' });
  assert.equal(stateOf(fleet), 'CLEANING');
  fleet.says(0, { kind: 'state', state: 'CLEANING', reason: '' }).says(0, heartbeatOf());
  fleet.says(0, { kind: 'cleaned', files: 4, warnings: ['one was gone already'] });
  assert.ok(fleet.lines().includes('agent-1: one was gone already'));
  assert.equal(fleet.end?.exitCode, 0);
});
