import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox } from '../../../../src/controller/core/outbox.js';
import { RateDivision } from '../../../../src/controller/core/rate-division.js';
import { fleetPlan, ScriptedFleet, stageOf } from '../../../support/scripted-fleet.js';

const rate = { unit: 'operations', steps: [{ from: 30, to: 30 }] } as const;

/** What each agent is told by these divisions: agent, epoch, and which part of how many is its. */
function toldBy(...divisions: readonly (readonly [stage: number, agents: readonly number[]])[]) {
  const stages = [stageOf({ rate }), stageOf({ index: 1, name: 'second' })];
  const outbox = new Outbox();
  const division = new RateDivision(fleetPlan(3, { stages }), outbox);
  for (const [stage, agents] of divisions) division.among(stage, agents);
  return outbox.take().flatMap((effect) => {
    if (effect.kind !== 'send' || effect.message.kind !== 'share') return [];
    const { epoch, index, count } = effect.message;
    return [[effect.agent, epoch, index, count]];
  });
}

test('[MEAS-06] each of the agents that share a rate is told its own part, and again when it is among others', () => {
  assert.deepEqual(toldBy([0, [0, 1, 2]]), [], 'as their assignments have it');
  assert.deepEqual(toldBy([0, [0, 2]]), [
    [0, 1, 0, 2],
    [2, 1, 1, 2],
  ]);
  assert.deepEqual(
    toldBy([0, [0, 1]]),
    [
      [0, 1, 0, 2],
      [1, 1, 1, 2],
    ],
    'without the last one',
  );
  // As many, and not the same.
  assert.deepEqual(toldBy([0, [0, 2]], [0, [0, 2]], [0, [1, 2]]).slice(2), [
    [1, 2, 0, 2],
    [2, 2, 1, 2],
  ]);
  assert.deepEqual(toldBy([1, [0]], [0, []]), [], 'a stage without a rate; nobody left');
});

test('[MEAS-06] a stage that starts without an agent is divided over those that start, before it begins', () => {
  const stages = [0, 1].map((index) =>
    stageOf({ index, name: `stage-${String(index)}`, durationMs: 5000, rate }),
  );
  const fleet = new ScriptedFleet(fleetPlan(3, { stages })).start().advance(4000);
  fleet.refuse(1, 'start').finish();
  assert.equal(fleet.end?.exitCode, 4);
  assert.deepEqual(
    fleet.records('share').map(({ stage, agents }) => [stage, agents]),
    [[1, [0, 2]]],
  );
  const sent = fleet.all.flatMap((effect) =>
    effect.kind === 'send' && effect.agent === 0 ? [effect.message.kind] : [],
  );
  const [share, go] = [sent.indexOf('share'), sent.lastIndexOf('go')];
  assert.ok(share >= 0 && share < go, sent.join());
});
