import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetPlan, ScriptedFleet, stageOf } from '../../../support/scripted-fleet.js';

const twoStages = [stageOf(), stageOf({ index: 1, name: 'second', durationMs: 5000 })];

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
