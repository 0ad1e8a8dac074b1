import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetPlan, ScriptedFleet, welcomeOf } from '../../../support/scripted-fleet.js';

test('[RUN-01] every agent is dialled at once, and the user is told of each', () => {
  const fleet = new ScriptedFleet(fleetPlan(3)).refuse(0, 'dial').refuse(1, 'dial');
  fleet.refuse(2, 'dial').start();
  assert.equal(fleet.effects('dial').length, 3);
  assert.deepEqual(fleet.lines(), [
    'Connecting to agent 10.0.0.1:7761',
    'Connecting to agent 10.0.0.2:7761',
    'Connecting to agent 10.0.0.3:7761',
  ]);
});

test('[RUN-01] [RUN-02] every bad agent is named with its cause, the others are let go, exit 3', () => {
  const fleet = new ScriptedFleet(fleetPlan(4)).refuse(1, 'dial').refuse(2, 'dial');
  fleet.refuse(3, 'dial').start().advance(4900);
  assert.equal(fleet.end, undefined, 'the last answer is waited for');
  const failed = { kind: 'dialFailed', generation: 1 } as const;
  fleet.feed({ ...failed, agent: 1, code: 'refused', message: 'connection refused' });
  fleet.feed({ ...failed, agent: 2, code: 'notMuster', message: 'something else answers there' });
  assert.equal(fleet.end, undefined);
  fleet.feed({ ...failed, agent: 3, code: 'busy', message: 'busy: run 7f of ann@ctl2' });
  assert.deepEqual(fleet.lines().slice(4), [
    'Agent 10.0.0.2:7761 unreachable after 5s: connection refused',
    'Agent 10.0.0.3:7761: something else answers there',
    'Agent 10.0.0.4:7761: busy: run 7f of ann@ctl2',
  ]);
  const end = fleet.effects('finished')[0]!;
  assert.deepEqual([end.exitCode, end.outcome], [3, 'failed']);
  assert.match(end.reason!, /10\.0\.0\.2:7761.*10\.0\.0\.4:7761/);
  assert.deepEqual(
    fleet.effects('send').filter(({ message }) => message.kind === 'goodbye'),
    [{ kind: 'send', agent: 0, message: { kind: 'goodbye', reason: end.reason } }],
  );
  assert.equal(fleet.sent('prepare').length, 0, 'nothing was started');
});

test('[RUN-01] an agent that was reached, and then fell silent, is not called unreachable', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(0, 'dial').refuse(1, 'dial').start();
  const failed = { kind: 'dialFailed', generation: 1, code: 'timeout' } as const;
  const message = 'gave no answer to Hello within 10s';
  fleet.feed({ ...failed, agent: 0, message, connected: true });
  fleet.feed({ ...failed, agent: 1, message: 'no answer', connected: false });
  assert.deepEqual(fleet.lines().slice(2), [
    `Agent 10.0.0.1:7761: ${message}`,
    'Agent 10.0.0.2:7761 unreachable after 5s: no answer',
  ]);
});

test('[RUN-01] the reason names five of many bad agents and how many more there are; each has its own line', () => {
  const fleet = new ScriptedFleet(fleetPlan(12));
  for (let agent = 0; agent < 12; agent += 1) fleet.refuse(agent, 'dial');
  fleet.start();
  const failed = { kind: 'dialFailed', generation: 1, code: 'refused' } as const;
  for (let agent = 0; agent < 12; agent += 1) {
    fleet.feed({ ...failed, agent, message: `refused ${String(agent)}` });
  }
  assert.equal(fleet.lines().filter((line) => line.includes('unreachable')).length, 12);
  const reason = fleet.end?.reason ?? '';
  assert.equal(reason.match(/unreachable/g)?.length, 5);
  assert.match(reason, /; and 7 more$/);
});

test('[RUN-02] two entries that reach the same agent are refused, also when it refuses the second', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(1, 'dial').start();
  fleet.feed({
    kind: 'dialFailed',
    agent: 1,
    generation: 1,
    code: 'protocol',
    message: 'stream 1 is not newer than 1',
    instanceId: 'instance-0',
  });
  const line = '10.0.0.1:7761 and 10.0.0.2:7761 are the same agent: name it once';
  assert.deepEqual(fleet.lines().slice(2), [line]);
  assert.equal(fleet.end?.exitCode, 3);
  assert.equal(fleet.end.reason, line);
});

test('[RUN-02] the same agent is also noticed when it took both', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(1, 'dial').start();
  fleet.feed({ kind: 'dialed', agent: 1, generation: 1, ...welcomeOf(0, false) });
  assert.match(fleet.lines().at(-1) ?? '', /are the same agent/);
  assert.equal(fleet.end?.exitCode, 3);
});

test('a driver that never answers does not keep the run waiting for ever', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(1, 'dial').start().finish();
  assert.equal(fleet.end?.exitCode, 3);
  assert.deepEqual(fleet.lines().slice(2), ['Agent 10.0.0.2:7761 unreachable: no answer']);
});

test('[RUN-01] … but for connect, twice hello, and the time to come back when its stream breaks', () => {
  const plan = fleetPlan(2);
  const timeouts = {
    ...plan.timeouts,
    connectMs: 5000,
    helloMs: 10_000,
    reconnectWindowMs: 30_000,
  };
  const fleet = new ScriptedFleet({ ...plan, timeouts }).refuse(1, 'dial').start().advance(54_900);
  assert.equal(fleet.end, undefined);
  assert.equal(fleet.advance(200).end?.exitCode, 3);
});

test('an agent that is lost while the others still connect is dialled again', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(1, 'dial').start().cut(0);
  fleet.advance(1000);
  assert.equal(fleet.effects('dial').filter(({ agent }) => agent === 0).length, 2);
  fleet.feed({ kind: 'dialed', agent: 1, generation: 1, ...welcomeOf(1, false) });
  assert.equal(fleet.end, undefined);
});

test('an agent whose clock cannot be read ends the start after the silence that is allowed', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).freeze(1).obey(1, 'dial').start().finish();
  assert.equal(fleet.end?.exitCode, 3);
  assert.ok(
    fleet.lines().includes('Agent agent-2 crashed during startup phase (no response for 30s)'),
  );
});

test('[LINK-02] an agent that does not know the run on its second stream goes on when nothing was asked of it yet', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(1, 'dial').start().refuse(0, 'dial').cut(0);
  fleet.advance(1000);
  const welcome = welcomeOf(0, false);
  const other = { ...welcome, welcome: { ...welcome.welcome, instanceId: 'restarted' } };
  fleet.obey(0, 'dial', 'probe');
  fleet.agents[0]!.generation = 2;
  fleet.agents[0]!.up = true;
  fleet.feed({ kind: 'dialed', agent: 0, generation: 2, ...other });
  fleet.obey(1, 'dial');
  fleet.agents[1]!.generation = 1;
  fleet.agents[1]!.up = true;
  fleet.feed({ kind: 'dialed', agent: 1, generation: 1, ...welcomeOf(1, false) });
  assert.equal(fleet.finish().end?.exitCode, 0);
  const known = fleet.records('agent').filter(({ agent }) => agent === 0);
  assert.equal(known.at(-1)?.facts.instanceId, 'restarted');
});
