// Failures that random histories found, kept under a name. Each was red before its cause was removed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetPlan, stageOf } from '../support/scripted-fleet.js';
import { playChecked } from '../support/sim/play.js';
import { calmAgent, scene } from '../support/sim/scenes.js';

const twoStages = [stageOf({ durationMs: 5000 }), stageOf({ index: 1, durationMs: 5000 })];

test('an agent that hears nothing any more (one direction is dead) held the next start up until its lease ended', () => {
  const plan = fleetPlan(3, { stages: twoStages });
  const block = {
    kind: 'block',
    agent: 1,
    from: 'controller',
    atMs: 7000,
    forMs: 500_000,
  } as const;
  const { controller, beganAtMs } = playChecked(scene([block], { plan }));
  assert.equal(controller.finished?.exitCode, 4);
  assert.ok(controller.notices.some((line) => line.includes('agent-2 does not hear us')));
  assert.ok(controller.finishedAtMs! - beganAtMs < 60_000);
});

test('clock estimates grew old while one slow agent was being probed, and the others began too early', () => {
  const plan = fleetPlan(3, { stages: twoStages });
  const drifting = { ...calmAgent, driftPpm: 100 };
  const agents = [drifting, calmAgent, { ...calmAgent, driftPpm: -100 }];
  const block = { kind: 'block', agent: 1, from: 'controller', atMs: 8000, forMs: 28_000 } as const;
  const { truths } = playChecked(scene([block], { plan, agents }));
  const second = truths.filter(({ stage }) => stage === 1).map(({ beganMs }) => beganMs);
  assert.ok(Math.max(...second) - Math.min(...second) < 1);
});

test('a hung agent that came back after the last stage was told to clean up in the middle of an older one', () => {
  const stages = [...twoStages, stageOf({ index: 2, durationMs: 1000 })];
  const plan = fleetPlan(3, { stages, namespace: 'shared' });
  const freeze = { kind: 'freeze', agent: 1, what: 'host', atMs: 12_500, forMs: 19_000 } as const;
  const agents = [calmAgent, calmAgent, calmAgent].map((agent) => ({
    ...agent,
    traits: { ...agent.traits, drainMs: 500, cleanupMs: 3000 },
  }));
  const { controller } = playChecked(scene([freeze], { plan, agents }));
  assert.equal(controller.finished?.exitCode, 4);
});

test('one lost reply to a clock probe cost the start ten seconds', () => {
  const faults = { corrupt: 0.08, drop: 0.08, repeat: 0 };
  const frames = { kind: 'frames', agent: 0, faults, atMs: 0, forMs: 60_000 } as const;
  const { controller, beganAtMs } = playChecked(scene([frames], { seed: 11 }));
  assert.equal(controller.finished?.exitCode, 0);
  assert.ok(controller.finishedAtMs! - beganAtMs < 32_000);
});

test('a restarted agent took the run up again and stayed owned by it', () => {
  const crash = { kind: 'crashAgent', agent: 1, atMs: 1000, restartAfterMs: 10 } as const;
  const { controller, hosts, ownedAfterEnd } = playChecked(scene([crash]));
  assert.equal(controller.finished?.exitCode, 3);
  assert.ok(controller.notices.some((line) => line.includes('was the agent restarted?')));
  assert.equal(hosts[1]!.all.length, 2);
  assert.deepEqual(ownedAfterEnd, []);
});

test('an agent whose answer to Start was held up was told to clean up, and then its answer came', () => {
  const plan = fleetPlan(3, { stages: [stageOf({ durationMs: 1000 })] });
  const slow = { ...calmAgent, traits: { ...calmAgent.traits, cleanupMs: 3000 } };
  // Nothing it says gets through until the others have run without it, and clean up.
  const block = { kind: 'block', agent: 2, from: 'agent', atMs: 2110, forMs: 16_000 } as const;
  const { controller } = playChecked(scene([block], { plan, agents: [slow, slow, slow] }));
  assert.ok(controller.notices.includes('Agent agent-3 reconnected (stream 2)'));
  assert.equal(controller.finished?.exitCode, 4);
});
