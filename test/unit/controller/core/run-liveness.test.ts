import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentMessage } from '../../../../src/shared/model/messages.js';
import type { Plan } from '../../../../src/shared/model/plan.js';
import { intervalOf } from '../../../support/agent-driver.js';
import {
  fleetPlan,
  heartbeatOf,
  ScriptedFleet,
  stageOf,
  welcomeOf,
} from '../../../support/scripted-fleet.js';

const long = [stageOf({ durationMs: 900_000 })];

/** Three agents, ten seconds into a stage of a quarter of an hour. */
function running(plan: Partial<Plan> = {}): ScriptedFleet {
  return new ScriptedFleet(fleetPlan(3, { stages: long, ...plan })).start().advance(12_500);
}

const statusOf = (fleet: ScriptedFleet, agent: number) =>
  fleet.run.snapshot(fleet.now).agents[agent]!;

test('[RUN-06] without stats: shown after 3 s, PING after 60 s, hung 60 s later; the others continue', () => {
  const fleet = running().freeze(1);
  fleet.advance(2400);
  assert.equal(fleet.sent('ping').length, 0);
  fleet.advance(1200);
  assert.equal(fleet.sent('ping', 1).length, 1, 'asked without a word to the user');
  assert.equal(statusOf(fleet, 1).note, 'no stats');
  const lines = () => fleet.lines().filter((line) => !line.startsWith('Connecting'));
  assert.deepEqual(lines(), []);
  fleet.advance(57_000);
  assert.deepEqual(lines(), ['Agent agent-2 no stats for 60s, sending PING']);
  assert.equal(fleet.sent('ping', 1).length, 2);
  fleet.advance(60_000);
  assert.deepEqual(lines().slice(1), [
    'Agent agent-2 not responding (no stats for 120s) - marking as hung',
  ]);
  assert.equal(statusOf(fleet, 1).link, 'HUNG');
  assert.equal(statusOf(fleet, 1).note, 'hung');
  fleet.finish(2_000_000);
  assert.equal(fleet.end?.exitCode, 4);
  assert.match(fleet.end.reason!, /2 of 3 agents completed \(agent-2: hung\)/);
  assert.equal(fleet.records('stageResult').length, 2);
});

test('[RUN-06] a frozen agent delays the end of a stage by no more than collect', () => {
  const stages = [stageOf({ durationMs: 20_000 })];
  const fleet = new ScriptedFleet(fleetPlan(3, { stages })).start().advance(15_000).freeze(0);
  fleet.finish();
  const t0Ms = Number(fleet.records('stageStart')[0]!.t0Ns) / 1e6;
  const lateMs = fleet.nowMs - (t0Ms + 20_000);
  assert.ok(lateMs >= 10_000 && lateMs < 10_500, `${lateMs}`);
  assert.equal(fleet.end?.exitCode, 4);
});

test('[RUN-06] [RUN-19] two of three hung: the rest is aborted, the numbers are no result, exit 5', () => {
  const fleet = running().freeze(0).freeze(1).finish();
  assert.equal(fleet.end?.exitCode, 5);
  assert.equal(fleet.end.outcome, 'aborted');
  assert.equal(fleet.end.notRepresentative, true);
  assert.match(fleet.end.reason!, /1 of 3 agents alive, a majority is needed/);
  assert.equal(fleet.sent('abort', 2).length, 1);
});

test('[RUN-07] a hung agent that speaks again is back, its seconds are filled in, exit 0', () => {
  const stages = [stageOf({ durationMs: 200_000 })];
  const fleet = running({ stages }).freeze(1).advance(125_000);
  assert.equal(statusOf(fleet, 1).link, 'HUNG');
  fleet.obey(1, 'heartbeat', 'interval', 'result', 'probe').advance(1000);
  assert.equal(statusOf(fleet, 1).link, 'CONNECTED');
  assert.ok(fleet.lines().some((line) => /Agent agent-2 speaks again after 12\ds/.test(line)));
  fleet.finish();
  assert.equal(fleet.end?.exitCode, 0);
  const back = fleet.records('link').find(({ reason }) => reason === 'speaks again');
  assert.ok(back!.silentMs! >= 125_000, 'the record tells how long it had been silent');
  const mine = fleet.records('interval').filter(({ agent }) => agent === 1);
  assert.equal(mine.length, 200, 'no second is missing, none came twice');
});

test('silence on an open stream, for half of what ends the wait for results: the agent is asked on a fresh connection', () => {
  const fleet = running().freeze(1).advance(5500);
  assert.deepEqual(fleet.effects('helloProbe'), [{ kind: 'helloProbe', agent: 1 }]);
  fleet.feed({ kind: 'helloResult', agent: 1, hello: undefined }).advance(5000);
  assert.equal(fleet.effects('helloProbe').length, 2, 'and again, while it lasts');
});

const patience = fleetPlan(1).timeouts;
const silences = [
  ['ping_after', { pingAfterMs: 4000, hungAfterMs: 2000, collectMs: 60_000 }, 2500],
  ['collect', { collectMs: 6000 }, 6900],
  ['the default of collect', {}, 6900],
] as const;
for (const [what, times, frozenMs] of silences) {
  test(`[LINK-14] a stream that dies silently, as by a flipped bit in a length, makes nobody hung: ${what}`, () => {
    const stages = [stageOf({ durationMs: 7000 })];
    const timeouts = { ...patience, ...times };
    const fleet = new ScriptedFleet(fleetPlan(3, { stages, timeouts })).start();
    fleet.advance(1500 + frozenMs).freeze(1);
    for (let waitedMs = 0; fleet.effects('helloProbe').length === 0; waitedMs += 100) {
      assert.ok(waitedMs < 15_000, fleet.lines().join());
      fleet.advance(100);
    }
    fleet.obey(1, 'dial', 'heartbeat', 'interval', 'result', 'probe');
    fleet.feed({ kind: 'helloResult', agent: 1, hello: helloOf(1) }).finish();
    assert.equal(fleet.end?.exitCode, 0, fleet.lines().join());
    assert.ok(!fleet.lines().some((line) => line.includes('hung')));
  });
}

test('[RUN-07] a hung agent is asked there, too: what an outage killed is its stream, and on a new one it goes on', () => {
  const stages = [stageOf({ durationMs: 200_000 })];
  const fleet = running({ stages }).freeze(1).advance(125_000);
  assert.equal(statusOf(fleet, 1).link, 'HUNG');
  const asked = fleet.effects('helloProbe').length;
  fleet.advance(5500);
  assert.ok(fleet.effects('helloProbe').length > asked);
  fleet.obey(1, 'dial', 'heartbeat', 'interval', 'result', 'probe');
  fleet.feed({ kind: 'helloResult', agent: 1, hello: helloOf(1) });
  const { to, silentMs = 0 } = fleet.records('link').at(-1)!;
  assert.equal(to, 'CONNECTED');
  assert.ok(silentMs >= 130_000, 'the record tells how long it had been silent');
  fleet.advance(1000);
  assert.equal(statusOf(fleet, 1).link, 'CONNECTED', 'it had no way to send stats');
  assert.equal(fleet.finish().end?.exitCode, 0, fleet.lines().join('\n'));
  const hangs = fleet.lines().filter((line) => line.endsWith('marking as hung'));
  assert.equal(hangs.length, 1);
});

test('[LINK-02] it answers there: the old stream is dead, and a new generation takes over', () => {
  const fleet = running().freeze(1).advance(10_500).obey(1, 'dial', 'heartbeat', 'interval');
  const hello = { ...helloOf(1) };
  fleet.feed({ kind: 'helloResult', agent: 1, hello });
  assert.equal(fleet.effects('hangUp')[0]?.generation, 1);
  assert.equal(fleet.effects('dial').at(-1)?.generation, 2);
  assert.match(fleet.lines().join('\n'), /^Agent agent-2 disconnected after \d+s/m);
  const lost = fleet.records('link').find(({ to }) => to === 'DISCONNECTED');
  assert.ok(
    lost?.silentMs !== undefined && lost.silentMs >= 10_000,
    'that long it was down already',
  );
  fleet.advance(1000);
  assert.equal(statusOf(fleet, 1).link, 'CONNECTED');
  fleet.feed({ kind: 'linkLost', agent: 1, generation: 1, reason: 'end of the old one' });
  assert.equal(statusOf(fleet, 1).link, 'CONNECTED');
});

test('a late answer there does no harm to a stream that has spoken again', () => {
  const fleet = running().freeze(1).advance(10_500).obey(1, 'heartbeat').advance(1000);
  fleet.feed({ kind: 'helloResult', agent: 1, hello: helloOf(1) });
  assert.equal(fleet.effects('dial').length, 3);
});

test('[LINK-06] another instance answers there: the agent was restarted, its part is lost, what it kept is asked for', () => {
  const fleet = running().freeze(1).advance(10_500);
  const hello = { ...helloOf(1), instanceId: 'another' };
  fleet.feed({ kind: 'helloResult', agent: 1, hello });
  assert.equal(fleet.lines().at(-1), 'Agent agent-2 was restarted: its part of the run is lost');
  assert.equal(statusOf(fleet, 1).state, 'FAILED');
  assert.deepEqual(fleet.effects('fetch'), [{ kind: 'fetch', agent: 1, instanceId: 'instance-1' }]);
});

test('[RUN-04] slow messages three times in a row are warned of once, and nothing else happens', () => {
  const fleet = running();
  const slow = (second: number) => {
    fleet.says(1, { kind: 'interval', ...intervalOf({ first: second, last: second }) });
  };
  const warnings = () => fleet.lines().filter((line) => line.includes('latency'));
  fleet.refuse(1, 'interval').advance(12_000);
  const next = fleet.agents[1]!.intervals;
  for (let index = 0; index < 3; index += 1) {
    assert.deepEqual(warnings(), []);
    slow(next + index);
    fleet.advance(1000);
  }
  assert.match(
    warnings()[0]!,
    /^WARNING: Agent agent-2 message latency: 1\d\.\ds \(network issue\?\)$/,
  );
  slow(next + 3);
  assert.equal(warnings().length, 1);
  fleet.agents[1]!.intervals = next + 4;
  fleet.obey(1, 'interval').finish(2_000_000);
  assert.equal(fleet.end?.exitCode, 0);
});

test('an agent whose stream is back is not called slow by the time that it had none', () => {
  const fleet = running().refuse(1, 'heartbeat', 'interval', 'dial');
  const load = heartbeatOf({ operations: 5000, inFlight: 64 });
  const stalled = () => fleet.lines().filter((line) => line.includes('I/O'));
  fleet.says(1, load).cut(1).advance(20_000);
  const { generation } = fleet.effects('dial').at(-1)!;
  fleet.agents[1]!.generation = generation;
  fleet.agents[1]!.up = true;
  fleet.feed({ kind: 'dialed', agent: 1, generation, ...welcomeOf(1, true) }).says(1, load);
  for (let second = 0; second < 9; second += 1) fleet.advance(1000).says(1, load);
  assert.deepEqual(stalled(), []);
  for (let second = 0; second < 2; second += 1) fleet.advance(1000).says(1, load);
  assert.match(stalled()[0]!, /^agent-2: no I\/O completed for 10s, 64 in flight/);
});

test('an agent that was silent is not called slow by what it says before it has caught up', () => {
  const fleet = running().refuse(1, 'heartbeat', 'interval');
  const load = (operations: number): AgentMessage => heartbeatOf({ operations, inFlight: 64 });
  fleet.says(1, load(5000)).advance(20_000).says(1, load(5000)).says(1, load(25_000));
  assert.deepEqual(
    fleet.lines().filter((line) => line.includes('I/O')),
    [],
  );
});

test('a count that begins anew is that of the next stage, and no stall', () => {
  const fleet = running().refuse(1, 'heartbeat');
  for (const operations of [20_000, ...Array.from({ length: 20 }, (_, second) => second * 1000)]) {
    fleet.says(1, heartbeatOf({ operations, inFlight: 64 })).advance(1000);
  }
  assert.deepEqual(
    fleet.lines().filter((line) => line.includes('I/O')),
    [],
  );
});

test('storage that hangs is a result: told once, with what is known, and again when it is over', () => {
  const fleet = running().refuse(1, 'heartbeat');
  const load = (operations: number): AgentMessage =>
    heartbeatOf({ operations, inFlight: 64, oldestInFlightNs: 12_300_000_000 });
  fleet.says(1, load(5000));
  for (let second = 0; second < 15; second += 1) fleet.advance(1000).says(1, load(5000));
  const told = () => fleet.lines().filter((line) => line.includes('I/O'));
  assert.deepEqual(told(), [
    'agent-2: no I/O completed for 10s, 64 in flight, oldest 12.3s (storage stalled?)',
  ]);
  fleet.says(1, load(5001));
  assert.equal(told()[1], 'agent-2: I/O completes again after 15s');
  assert.equal(statusOf(fleet, 1).oldestInFlightMs, 12_300);
  assert.equal(fleet.end, undefined);
});

test('[MEAS-06] threads that get no CPU are said to be the reason why nothing completes, not the storage', () => {
  const fleet = running().refuse(1, 'heartbeat');
  const load = heartbeatOf({ operations: 5000, inFlight: 64, starvedThreads: 40 });
  for (let second = 0; second < 15; second += 1) fleet.says(1, load).advance(1000);
  assert.deepEqual(
    fleet.lines().filter((line) => line.includes('I/O')),
    [
      'agent-2: no I/O completed for 10s, 64 in flight, oldest 0.0s (40 threads want a CPU: host overloaded?)',
    ],
  );
});

test('numbers that a silent workload process gave long ago are no stall of the storage', () => {
  const fleet = running().refuse(1, 'heartbeat');
  for (let second = 0; second < 30; second += 1) {
    const runnerSilenceNs = Math.max(0, second - 8) * 1e9;
    fleet.says(1, heartbeatOf({ operations: 5000, inFlight: 64, runnerSilenceNs })).advance(1000);
  }
  assert.deepEqual(
    fleet.lines().filter((line) => line.includes('I/O')),
    [],
  );
});

test('[RUN-27] an agent that answers while its runner is silent is shown so, and fails by its own report', () => {
  const fleet = running().refuse(1, 'heartbeat', 'interval');
  const silent = (seconds: number) =>
    fleet.says(1, heartbeatOf({ runnerSilenceNs: seconds * 1e9 }));
  for (let second = 1; second <= 121; second += 1) silent(second).advance(1000);
  assert.equal(statusOf(fleet, 1).note, 'runner silent');
  assert.equal(statusOf(fleet, 1).runnerSilentMs, 121_000);
  assert.equal(statusOf(fleet, 1).link, 'CONNECTED', 'the agent knows more and will say it');
  // Not even for a moment: it would be back with its next heartbeat.
  assert.ok(!fleet.lines().some((line) => line.includes('hung')), fleet.lines().join('\n'));
  const message = 'workload process was killed by SIGKILL (out of memory?)';
  fleet.says(1, { kind: 'error', code: 'killed', message });
  assert.equal(fleet.lines().at(-1), `Agent agent-2 failed: ${message}`);
  fleet.freeze(1).finish(2_000_000);
  assert.equal(fleet.end?.exitCode, 4);
});

test('an agent that answers but gives no result after its stage is given up in the end', () => {
  const fleet = new ScriptedFleet(fleetPlan(3)).refuse(1, 'result').start().finish();
  const line = fleet.lines().find((one) => one.includes('still gave no result'));
  assert.equal(line, 'Agent agent-2 still gave no result of stage first 45s after its end');
  assert.equal(fleet.end?.exitCode, 4);
});

test('[RUN-23] a stage without duration: the first that is done starts the clock of a silent one', () => {
  const stages = [stageOf({ durationMs: undefined, maxOperations: 3000 })];
  const fleet = running({ stages }).freeze(1).completes(0, 0).completes(2, 0);
  const doneMs = fleet.nowMs;
  fleet.finish();
  assert.equal(fleet.end?.exitCode, 4);
  assert.ok(fleet.nowMs < doneMs + 11_000);
});

test('[RUN-23] a slow agent of a stage without duration is waited for as long as it gets on', () => {
  const stages = [stageOf({ durationMs: undefined, maxOperations: 3000 })];
  const fleet = running({ stages }).completes(0, 0).completes(2, 0).refuse(1, 'heartbeat');
  for (let second = 1; second < 300; second += 1) {
    fleet.says(1, heartbeatOf({ operations: second, inFlight: 1 })).advance(1000);
  }
  assert.equal(fleet.end, undefined);
  fleet.completes(1, 0).finish();
  assert.equal(fleet.end!.exitCode, 0);
});

test('jitter alone never declares an agent lost: heartbeats of an idle agent are enough', () => {
  const stages = [stageOf({ durationMs: 3000 }), stageOf({ index: 1, durationMs: 3000 })];
  const fleet = new ScriptedFleet(fleetPlan(2, { stages })).start();
  for (let step = 0; step < 400 && !fleet.end; step += 1) {
    fleet.advance(step % 7 === 0 ? 900 : 50).feed({ kind: 'tick' });
  }
  assert.equal(fleet.end?.exitCode, 0);
});

test('[RUN-06] the controller slept for ten minutes: nobody is judged by that time', () => {
  const fleet = running();
  fleet.sleep(600_000).feed({ kind: 'tick' });
  assert.deepEqual(
    fleet.lines().filter((line) => line.includes('Agent')),
    [],
  );
  fleet.advance(1000);
  for (const { link, state } of fleet.run.snapshot(fleet.now).agents) {
    assert.deepEqual([link, state], ['CONNECTED', 'RUNNING']);
  }
});

test('[RUN-04] what the controller slept through is no latency of the network', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(1, 'probe').start().advance(100);
  const asked = fleet.sent('probe', 1);
  assert.ok(asked.length >= 3);
  fleet.sleep(5000).feed({ kind: 'tick' });
  const t2Ns = fleet.now.ns;
  const reply = { kind: 'probeReply', t2Ns, t3Ns: t2Ns, unixMs: fleet.now.unixMs } as const;
  for (const { id, t1Ns } of asked) fleet.says(1, { ...reply, id, t1Ns });
  assert.equal(statusOf(fleet, 1).latencyMs, undefined);
  assert.ok(!fleet.lines().some((line) => line.includes('latency')), fleet.lines().join());
});

test('[RUN-06] the controller slept across the end of the stage: nobody has failed whose result is still unread', () => {
  const stages = [stageOf({ durationMs: 30_000 })];
  const fleet = new ScriptedFleet(fleetPlan(3, { stages })).start().advance(20_000);
  fleet.sleep(300_000).feed({ kind: 'tick' });
  assert.ok(!fleet.lines().some((line) => line.includes('gave no result')), fleet.lines().join());
  fleet.finish();
  assert.equal(fleet.end?.exitCode, 0, fleet.lines().join());
});

test('[RUN-06] an agent that died while the controller slept is found out afterwards', () => {
  const fleet = running().freeze(1).sleep(600_000).feed({ kind: 'tick' }).advance(125_000);
  assert.ok(fleet.lines().some((line) => line.includes('agent-2 not responding')));
});

test('[RUN-06] many messages that are heard after a sleep forgive it once', () => {
  const fleet = running().freeze(1).sleep(10_000);
  fleet.hears = true;
  for (let i = 0; i < 20; i++) fleet.says(0, heartbeatOf());
  fleet.feed({ kind: 'tick' }).advance(125_000);
  assert.ok(fleet.lines().some((line) => line.includes('agent-2 not responding')));
});

function helloOf(agent: number) {
  return {
    product: 'muster',
    protocol: 1,
    version: '0.1.0',
    instanceId: `instance-${agent}`,
    bootId: '',
    agentId: '',
    state: 'RUNNING',
    owner: undefined,
    hostname: '',
    ownerSpeaks: false,
    tokenRequired: false,
    checkpoints: [],
  } as const;
}
