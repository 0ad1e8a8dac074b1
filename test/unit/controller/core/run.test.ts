import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetPlan, ScriptedFleet, stageOf } from '../../../support/scripted-fleet.js';

const twoStages = [stageOf(), stageOf({ index: 1, name: 'second', durationMs: 5000 })];

test('of messages that come together the run takes the consequences once, at the tick it asks for', () => {
  const fleet = new ScriptedFleet(fleetPlan(3)).refuse(0, 'start').refuse(1, 'start');
  fleet.refuse(2, 'start').start().advance(500);
  fleet.hears = true;
  for (const agent of [0, 1, 2]) fleet.says(agent, { kind: 'armed', stage: 0, epoch: 1 });
  assert.equal(fleet.records('transition').filter(({ to }) => to === 'ARMED').length, 3);
  assert.equal(fleet.sent('go').length, 0);
  assert.equal(fleet.run.wakeAt(), fleet.nowMs);
  fleet.feed({ kind: 'tick' });
  assert.equal(fleet.sent('go').length, 3);
});

test('[PERF-07] a run of many agents completes with looks at all of them that lie apart', () => {
  const fleet = new ScriptedFleet(fleetPlan(164), { cleanup: true });
  fleet.hears = true;
  let looks = 0;
  const { handle } = fleet.run;
  fleet.run.handle = (input, now) => {
    looks += 1;
    return handle.call(fleet.run, input, now);
  };
  fleet.start().finish();
  assert.equal(fleet.end?.exitCode, 0);
  assert.equal(fleet.records('interval').length, 164 * 10);
  // 164 dials and, of 12 s, a millisecond between any two ticks; half of it is far more than a run asks for.
  assert.ok(looks < 6000, `${String(looks)} looks`);
});

test('an agent that is ready or armed is so for a stage, which has a name', () => {
  const fleet = new ScriptedFleet(fleetPlan(1, { stages: twoStages }));
  fleet.start().finish();
  const reasons = (state: string): string[] =>
    fleet.records('transition').flatMap(({ to, reason }) => (to === state ? [reason] : []));
  const named = twoStages.map(({ name }) => `stage ${name}`);
  assert.deepEqual(reasons('READY'), named);
  assert.deepEqual(reasons('ARMED'), named);
});

test('[RUN-15] a run of three agents and two stages completes without an invalid transition', () => {
  const fleet = new ScriptedFleet(fleetPlan(3, { stages: twoStages }), { cleanup: true });
  fleet.start().finish();
  assert.deepEqual(fleet.end, {
    kind: 'finished',
    outcome: 'completed',
    exitCode: 0,
    reason: undefined,
    notRepresentative: false,
  });
  assert.deepEqual(
    fleet.lines().filter((line) => !line.startsWith('Connecting to agent')),
    [],
  );
  assert.equal(fleet.records('stageResult').length, 6);
  assert.equal(fleet.records('stageEnd').length, 2);
  assert.equal(fleet.records('interval').length, 3 * 15);
  assert.equal(fleet.sent('cleanup').length, 3);
  assert.equal(fleet.sent('goodbye').length, 3);
  assert.equal(fleet.run.wakeAt(), undefined, 'no timer is left');
});
