import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  agentOffsetNs,
  fleetPlan,
  ScriptedFleet,
  stageOf,
  welcomeOf,
} from '../../../support/scripted-fleet.js';

test('[RUN-20] [RUN-28] all are armed for one instant on their own clocks, then all are told to go', () => {
  const fleet = new ScriptedFleet(fleetPlan(3)).refuse(2, 'start').start().advance(500);
  const starts = fleet.sent('start');
  assert.equal(starts.length, 3);
  assert.equal(new Set(starts.map(({ atNs }) => atNs)).size, 1, 'the test clocks are alike');
  assert.equal(fleet.sent('go').length, 0, 'one is not armed');
  fleet.says(2, { kind: 'armed', stage: 0, epoch: 1 });
  assert.equal(fleet.sent('go').length, 3);
  const [start] = fleet.records('stageStart');
  assert.equal(start!.t0Ns + agentOffsetNs, starts[0]!.atNs);
  assert.deepEqual(start!.agents, [0, 1, 2]);
});

test('[RUN-28] a lost ARMED: nobody goes, and the next attempt has a longer lead', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(1, 'start').start().advance(1000);
  assert.equal(fleet.sent('go').length, 0);
  fleet.obey(1, 'start').advance(600);
  const [first, , second] = fleet.sent('start');
  assert.deepEqual([first!.epoch, second!.epoch], [1, 2]);
  assert.equal(second!.atNs - first!.atNs, 4_000_000_000n);
  assert.match(fleet.lines().at(-1)!, /agent-2: did not answer Start.*longer lead/);
  assert.equal(fleet.sent('go').length, 2);
  assert.equal(fleet.finish().end?.exitCode, 0);
});

test('[RUN-28] after three attempts the run ends with exit 3 and says who was not armed', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(1, 'start').start().finish();
  assert.equal(fleet.end?.exitCode, 3);
  const reason = 'Stage first could not be started in 3 attempts (agent-2: did not answer Start)';
  assert.equal(fleet.end.reason, reason);
  assert.equal(fleet.sent('go').length, 0);
  assert.equal(fleet.records('interval').length, 0);
  assert.equal(fleet.sent('abort').length, 2);
});

test('[RUN-28] a lost Go for all: everybody missed it, so everybody is armed again', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(0, 'go').refuse(1, 'go').start();
  fleet.advance(2500);
  const { epoch } = fleet.sent('go')[0]!;
  const missed = { kind: 'missed', stage: 0, epoch, reason: 'no Go' } as const;
  fleet.obey(0, 'go').obey(1, 'go').says(0, missed).says(1, missed);
  assert.equal(fleet.sent('start').at(-1)?.epoch, 2);
  assert.equal(fleet.finish().end?.exitCode, 0);
});

test('[RUN-28] a lost Go for one: the others run, it is lost and told to stop', () => {
  const fleet = new ScriptedFleet(fleetPlan(3)).refuse(1, 'go').start().advance(5500);
  fleet.says(1, { kind: 'missed', stage: 0, epoch: 1, reason: 'no Go' });
  assert.ok(fleet.lines().some((line) => line.includes('agent-2 missed the start')));
  assert.equal(fleet.sent('abort', 1).length, 1);
  fleet.finish();
  assert.equal(fleet.end?.exitCode, 4);
  assert.equal(fleet.records('stageResult').length, 2);
});

test('[RUN-15] a repeated READY is told and ignored', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).start().advance(1000);
  fleet.says(0, { kind: 'ready', stage: 0 });
  assert.equal(fleet.lines().at(-1), 'Agent agent-1 sent duplicate READY (ignoring)');
  assert.equal(fleet.finish().end?.exitCode, 0);
  assert.equal(fleet.sent('start').length, 2, 'nothing was restarted');
});

test('fresh probes are made before every start, and the bound of each is published', () => {
  const stages = [stageOf(), stageOf({ index: 1, name: 'second' })];
  const fleet = new ScriptedFleet(fleetPlan(1, { stages })).start().finish();
  assert.equal(fleet.sent('probe').length, 16 + 8 + 8);
  assert.equal(fleet.records('clock').length, 3);
});

test('[RUN-20] the lateness of the first operation is recorded with the bound of the clock', () => {
  const fleet = new ScriptedFleet(fleetPlan(1)).start().advance(3200);
  const { atNs, epoch } = fleet.sent('start')[0]!;
  const started = { kind: 'started', stage: 0, epoch, atNs } as const;
  fleet.says(0, { ...started, firstOperationNs: atNs + 412_000n });
  assert.deepEqual(fleet.records('started'), [
    { type: 'started', agent: 0, stage: 0, latenessNs: 412_000, boundNs: 1 },
  ]);
});

test('an agent whose stream breaks while it is armed is armed again when it is back', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(1, 'start').start().advance(500);
  fleet.cut(1).obey(1, 'start').advance(2000);
  const { epoch } = fleet.sent('go')[0]!;
  assert.equal(epoch, 2);
  assert.equal(fleet.finish().end?.exitCode, 0);
});

test('[RUN-06] an agent that freezes before it is armed is left behind as hung, the others run', () => {
  const fleet = new ScriptedFleet(fleetPlan(3));
  fleet.start().advance(90).freeze(2).finish();
  assert.ok(fleet.lines().some((line) => line.includes('agent-3 not responding')));
  assert.equal(fleet.end?.exitCode, 4);
});

/** All are ready; one of them does not answer the probes before the start. */
function deaf(): ScriptedFleet {
  const fleet = new ScriptedFleet(fleetPlan(3)).refuse(1, 'prepare').start().advance(500);
  return fleet.refuse(1, 'probe').says(1, { kind: 'ready', stage: 0 });
}

test('an agent that speaks but does not hear us is asked on the side, then lost: it holds nobody up for ever', () => {
  const fleet = deaf().advance(10_500);
  assert.deepEqual(fleet.effects('helloProbe'), [{ kind: 'helloProbe', agent: 1 }]);
  fleet.feed({ kind: 'helloResult', agent: 1, hello: undefined }).finish();
  const line = 'Agent agent-2 does not hear us (no clock probe answered for 30s)';
  assert.ok(fleet.lines().includes(line));
  assert.equal(fleet.end?.exitCode, 4);
  assert.deepEqual(fleet.records('stageStart')[0]?.agents, [0, 2]);
  const probed = fleet.records('clock').filter(({ agent }) => agent === 0);
  assert.ok(probed.length > 2, 'estimates that got old were made again');
});

test('an agent that does not hear us on a dead stream is given a new one', () => {
  const fleet = deaf().advance(10_500).obey(1, 'probe');
  const { hello } = welcomeOf(1, true);
  fleet.feed({ kind: 'helloResult', agent: 1, hello }).finish();
  assert.equal(fleet.effects('dial').at(-1)?.generation, 2);
  assert.equal(fleet.end?.exitCode, 0);
});

const threeStages = [0, 1, 2].map((index) =>
  stageOf({ index, name: `stage-${index}`, durationMs: 3000 }),
);

test('in a later stage an agent that cannot be armed is lost, the others go on without it', () => {
  const fleet = new ScriptedFleet(fleetPlan(3, { stages: threeStages })).start().advance(4000);
  fleet.refuse(1, 'start').finish();
  const line = 'Agent agent-2 could not be started: did not answer Start';
  assert.ok(fleet.lines().includes(line));
  assert.equal(fleet.sent('abort', 1).length, 1);
  assert.deepEqual(
    fleet.records('stageStart').map(({ agents }) => agents),
    [
      [0, 1, 2],
      [0, 2],
      [0, 2],
    ],
  );
  const epochs = fleet.sent('start', 0).filter(({ stage }) => stage === 1);
  assert.deepEqual(
    epochs.map(({ epoch }) => epoch),
    [1, 2, 3, 4],
    'an epoch is never used twice for a stage',
  );
  assert.equal(fleet.end?.exitCode, 4);
});

test('a later stage that nobody can be armed for ends the run with exit 3, the results are kept', () => {
  const fleet = new ScriptedFleet(fleetPlan(2, { stages: threeStages })).start().advance(4000);
  fleet.refuse(0, 'start').refuse(1, 'start').finish();
  assert.equal(fleet.end?.exitCode, 3);
  assert.equal(fleet.records('stageResult').length, 2);
});

test('[RUN-07] a hung agent that comes back in a stage which goes on without it rejoins at the next barrier', () => {
  const fleet = new ScriptedFleet(fleetPlan(3, { stages: threeStages })).start().advance(4000);
  fleet.freeze(2).advance(13_500);
  assert.deepEqual(fleet.records('stageStart').at(-1)?.agents, [0, 1]);
  fleet.obey(2, 'heartbeat', 'interval', 'result', 'probe', 'start', 'go', 'abort').finish();
  const line = 'Agent agent-3 rejoins at stage stage-2: the one before went on without it';
  assert.ok(fleet.lines().includes(line));
  assert.deepEqual(fleet.records('stageStart').at(-1)?.agents, [0, 1, 2]);
  assert.equal(fleet.end?.exitCode, 4);
  const stages = fleet.records('stageResult').flatMap(({ agent, result }) => {
    return agent === 2 ? [result.stage] : [];
  });
  assert.deepEqual(stages, [0, 2]);
  assert.equal(
    fleet.end.reason,
    '2 of 3 agents completed (agent-3: results of stage-1 are missing)',
  );
});

test('[RUN-07] a hung agent that is back before the next start takes part in it', () => {
  const fleet = new ScriptedFleet(fleetPlan(3, { stages: threeStages })).start().advance(4000);
  fleet.freeze(2).refuse(1, 'start').advance(12_500);
  assert.equal(fleet.run.snapshot(fleet.now).agents[2]!.link, 'HUNG');
  assert.equal(fleet.records('stageStart').length, 1, 'one of the others is not armed yet');
  fleet
    .obey(1, 'start')
    .obey(2, 'heartbeat', 'interval', 'result', 'probe', 'start', 'go')
    .finish();
  assert.deepEqual(
    fleet.records('stageStart').map(({ agents }) => agents),
    [
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ],
  );
  assert.equal(fleet.end?.exitCode, 0);
});

test('[RUN-11] the countdown to the next try is shown while agents are being armed', () => {
  const fleet = new ScriptedFleet(fleetPlan(2)).refuse(1, 'start').start().advance(600);
  const { phase, stage } = fleet.run.snapshot(fleet.now);
  assert.equal(phase, 'arming');
  assert.ok(stage!.elapsedMs < -100 && stage!.elapsedMs > -1000);
});

test('an agent that is lost while all are being armed is not waited for', () => {
  const fleet = new ScriptedFleet(fleetPlan(3)).refuse(1, 'start').start().advance(500);
  fleet.says(1, { kind: 'error', code: 'crashed', message: 'it crashed' });
  assert.deepEqual(fleet.records('stageStart')[0]?.agents, [0, 2]);
});
