import assert from 'node:assert/strict';
import { test } from 'node:test';
import { intervalOf } from '../../../support/agent-driver.js';
import { fleetPlan, ScriptedFleet } from '../../../support/scripted-fleet.js';

const seconds = 10;
const collectMs = 10_000;

/** Two agents at the end of their stage; the second has given its totals, and all of its time line is still on the way. */
function overtaken(): ScriptedFleet {
  const fleet = new ScriptedFleet(fleetPlan(2));
  fleet.refuse(1, 'interval', 'result').start();
  while (fleet.records('stageResult').length === 0 && !fleet.end) fleet.advance(100);
  assert.equal(fleet.end, undefined, fleet.end?.reason);
  fleet.agents[1]!.intervals = seconds;
  return fleet.completes(1, 0);
}

function second(fleet: ScriptedFleet, at: number): void {
  fleet.says(1, { kind: 'interval', ...intervalOf({ stage: 0, first: at, last: at }) });
}

/** Those of the second agent that came before the stage was over. */
function counted(fleet: ScriptedFleet): number {
  const records = fleet.effects('record').map(({ record }) => record);
  const end = records.findIndex(({ type }) => type === 'stageEnd');
  const before = end < 0 ? records : records.slice(0, end);
  return before.filter((record) => record.type === 'interval' && record.agent === 1).length;
}

test('[LINK-04] totals that overtook their time line: each part of it is waited for as long as collect', () => {
  const fleet = overtaken();
  for (let at = 0; at < seconds; at += 1) {
    fleet.advance(collectMs - 100);
    assert.equal(fleet.end, undefined, `before second ${String(at)}`);
    second(fleet, at);
  }
  assert.equal(fleet.finish(1000).end?.exitCode, 0);
  assert.equal(counted(fleet), seconds);
});

test('[LINK-04] a time line that does not come is not waited for longer than collect', () => {
  const fleet = overtaken();
  second(fleet, 0);
  fleet.advance(collectMs - 100);
  assert.equal(fleet.end, undefined);
  assert.equal(fleet.finish(1000).end?.exitCode, 0);
  assert.equal(counted(fleet), 1);
});

test('[LINK-04] a cut after the totals: the time line is waited for from the new stream on', () => {
  const fleet = overtaken()
    .advance(collectMs / 2)
    .cut(1);
  const before = fleet.agents[1]!.generation;
  while (fleet.agents[1]!.generation === before && !fleet.end) fleet.advance(100);
  fleet.advance(collectMs - 200);
  assert.equal(fleet.end, undefined);
  for (let at = 0; at < seconds; at += 1) second(fleet, at);
  fleet.finish(1000);
  assert.equal(counted(fleet), seconds);
});

test('[LINK-04] a controller that slept after the totals waits for what came meanwhile and is not read yet', () => {
  const fleet = overtaken().sleep(collectMs * 3);
  fleet.feed({ kind: 'tick' });
  assert.equal(fleet.end, undefined);
  for (let at = 0; at < seconds; at += 1) second(fleet, at);
  fleet.finish(1000);
  assert.equal(counted(fleet), seconds);
});
