import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetPlan, ScriptedFleet, stageOf } from '../../../support/scripted-fleet.js';

const stages = [0, 1, 2, 3].map((index) =>
  stageOf({ index, name: `s${String(index)}`, durationMs: 5000 }),
);

const stageStarts = (fleet: ScriptedFleet) => fleet.records('stageStart').map((one) => one.agents);

/** Agent 3 was frozen in s0 and is back in s1, which goes on without it: it is ready for that one. It obeys no Start. */
function backInNext(): ScriptedFleet {
  const fleet = new ScriptedFleet(fleetPlan(3, { stages })).start().advance(4000);
  fleet.freeze(2).advance(16_000);
  assert.deepEqual(stageStarts(fleet).at(-1), [0, 1]);
  fleet.obey(2, 'probe', 'go', 'heartbeat', 'interval', 'result', 'abort', 'cleanup');
  return fleet.advance(100);
}

function until(fleet: ScriptedFleet, isSo: () => boolean): ScriptedFleet {
  for (let tries = 0; tries < 1000 && !isSo(); tries += 1) fleet.advance(50);
  assert.ok(isSo());
  return fleet;
}

const asks = (fleet: ScriptedFleet, stage: number) =>
  fleet.sent('start', 2).filter((start) => start.stage === stage && start.epoch === 0);

test('[RUN-07] an agent that misses every call to get ready is called three times, and sits the stage out', () => {
  const fleet = backInNext();
  const missed = (stage: number) => {
    const reason = 'agent is ready for stage first';
    fleet.says(2, { kind: 'missed', stage, epoch: 0, reason });
  };
  until(fleet, () => asks(fleet, 2).length > 0);
  for (const calls of [1, 2, 3]) {
    assert.equal(asks(fleet, 2).length, calls);
    missed(2);
  }
  fleet.advance(3000);
  assert.equal(asks(fleet, 2).length, 3, 'the number of calls is bounded');
  const line = 'Agent agent-3 sits out stage s2: it was told to get ready for it, and did not';
  assert.deepEqual(
    fleet.lines().filter((one) => one.includes('sits out')),
    [line],
  );
  assert.deepEqual(stageStarts(fleet).at(-1), [0, 1]);
  fleet.obey(2, 'start').finish();
  assert.equal(asks(fleet, 3).length, 1, 'the next stage calls it anew');
  assert.deepEqual(stageStarts(fleet).at(-1), [0, 1, 2]);
  assert.equal(fleet.end?.exitCode, 4);
});

test('[RUN-07] an agent that does not react to the call is waited for no longer than `collect`', () => {
  const fleet = backInNext();
  until(fleet, () => asks(fleet, 2).length > 0);
  fleet.advance(9900);
  assert.equal(stageStarts(fleet).length, 2, 'it may still react');
  fleet.advance(3000);
  assert.deepEqual(stageStarts(fleet), [
    [0, 1, 2],
    [0, 1],
    [0, 1],
  ]);
  assert.equal(asks(fleet, 2).length, 1);
  assert.equal(fleet.obey(2, 'start').finish().end?.exitCode, 4);
});

test('[RUN-07] a call that reaches the agent while it gets ready for an earlier stage is repeated', () => {
  const fleet = backInNext();
  until(fleet, () => asks(fleet, 2).length > 0);
  // It hears nothing, and s2 goes on without it as well.
  fleet.freeze(2).advance(12_000);
  assert.deepEqual(stageStarts(fleet).at(-1), [0, 1]);
  fleet.obey(2, 'probe', 'go', 'heartbeat', 'interval', 'result', 'abort', 'cleanup');
  until(fleet, () => asks(fleet, 3).length > 0);
  // Both calls reach it now: it follows the first, and ignores the second while it does.
  fleet.obey(2, 'start').says(2, { kind: 'state', state: 'DRAINING', reason: '' });
  fleet.says(2, { kind: 'ready', stage: 2 });
  assert.equal(asks(fleet, 3).length, 2);
  fleet.finish();
  assert.deepEqual(stageStarts(fleet).at(-1), [0, 1, 2]);
  assert.ok(!fleet.lines().some((line) => line.includes('ignoring') || line.includes('Invalid')));
  assert.equal(fleet.end?.exitCode, 4);
});

test('[RUN-07] an agent that is armed for the stage it was left out of is called when it has missed that', () => {
  const fleet = backInNext();
  until(fleet, () => asks(fleet, 2).length > 0);
  fleet.says(2, { kind: 'armed', stage: 1, epoch: 1 });
  fleet.says(2, { kind: 'missed', stage: 2, epoch: 0, reason: 'agent is ready for stage s1' });
  fleet.advance(100);
  assert.equal(asks(fleet, 2).length, 1, 'it is armed, and cannot follow');
  fleet.obey(2, 'start').says(2, { kind: 'missed', stage: 1, epoch: 1, reason: 'no GO came' });
  assert.equal(asks(fleet, 2).length, 2);
  fleet.advance(3000);
  assert.deepEqual(stageStarts(fleet).at(-1), [0, 1, 2]);
});
