// Histories that have a name: the scenarios of the requirements, each in a world of its own with the real machines and
// links. playChecked also holds every invariant of support/sim/invariants.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunRecord } from '../../src/controller/core/records.js';
import { fleetPlan, stageOf } from '../support/scripted-fleet.js';
import type { History } from '../support/sim/history.js';
import { ownerlessMs } from '../support/sim/invariants.js';
import { playChecked } from '../support/sim/play.js';
import type { Fault } from '../support/sim/scenario.js';
import { calmAgent, scene } from '../support/sim/scenes.js';

const exitCode = (history: History) => history.controller.finished?.exitCode;
const tookMs = (history: History) => history.controller.finishedAtMs! - history.beganAtMs;

function records<T extends RunRecord['type']>(history: History, type: T) {
  return history.controller.records
    .map(({ record }) => record)
    .filter((record): record is Extract<RunRecord, { type: T }> => record.type === type);
}

function operations(history: History): number[] {
  return records(history, 'stageResult').map(({ result }) => result.operations[0]!.count);
}

const told = (history: History, part: string) =>
  history.controller.notices.filter((line) => line.includes(part));

test('[RUN-21] the network of one agent is cut in the middle: it comes back and nothing is missing', () => {
  const history = playChecked(scene([{ kind: 'cut', agent: 1, atMs: 14_000 }]));
  assert.equal(exitCode(history), 0);
  assert.deepEqual(operations(history), [20_000, 20_000, 20_000]);
  assert.equal(records(history, 'interval').length, 60);
  assert.match(
    told(history, 'disconnected')[0]!,
    /^Agent agent-2 disconnected after \d+s \(completed 5\d% of work\)$/,
  );
  assert.deepEqual(told(history, 'reconnected'), ['Agent agent-2 reconnected (stream 2)']);
});

test('[RUN-21] [RUN-03] cut for longer than the window: the others complete, the result is partial', () => {
  const plan = fleetPlan(3, { stages: [stageOf({ durationMs: 60_000 })] });
  const fault: Fault = { kind: 'refuse', agent: 1, atMs: 10_000, forMs: 60_000 };
  const history = playChecked(scene([fault], { plan }));
  assert.equal(exitCode(history), 4);
  assert.deepEqual(operations(history), [60_000, 60_000]);
});

test('[RUN-21] [RUN-05] kill -9 of one agent while preparing: nothing is started, exit 3 within 30 s', () => {
  const fault: Fault = { kind: 'crashAgent', agent: 1, atMs: 1000, restartAfterMs: undefined };
  const history = playChecked(scene([fault]));
  assert.equal(exitCode(history), 3);
  assert.deepEqual(told(history, 'crashed'), [
    'Agent agent-2 crashed during prepare phase (no response for 30s)',
  ]);
  assert.equal(history.truths.length, 0);
  assert.ok(tookMs(history) < 38_000);
});

test('[RUN-21] [RUN-04] two seconds of latency on one link: one warning, a complete run', () => {
  const slow = { ...calmAgent, delayMs: 2000, jitterMs: 50 };
  const history = playChecked(scene([], { agents: [calmAgent, slow, calmAgent] }));
  assert.equal(exitCode(history), 0);
  const warnings = told(history, 'latency');
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0]!,
    /^WARNING: Agent agent-2 message latency: 4\.\ds \(network issue\?\)$/,
  );
  assert.deepEqual(operations(history), [20_000, 20_000, 20_000]);
});

test('[RUN-21] [RUN-09] Ctrl-C at a third of the work: partial results, every agent free within 5 s', () => {
  const fault: Fault = { kind: 'interrupt', atMs: 10_000, againAfterMs: undefined };
  const history = playChecked(scene([fault]));
  assert.equal(exitCode(history), 130);
  assert.equal(records(history, 'stageResult').length, 3);
  assert.ok(history.controller.finishedAtMs! - history.interruptedAtMs! < 5000);
  for (const { result } of records(history, 'stageResult')) {
    assert.equal(result.endedBy, 'aborted');
    assert.ok(result.operations[0]!.count > 5000);
  }
});

test('[RUN-21] [RUN-13] [RUN-15] every frame comes twice: no second READY, no second start, exact totals', () => {
  const faults = { corrupt: 0, drop: 0, repeat: 1 };
  const agents = [0, 1, 2];
  const history = playChecked(
    scene(agents.map((agent) => ({ kind: 'frames', agent, atMs: 0, faults, forMs: 60_000 }))),
  );
  assert.equal(exitCode(history), 0);
  assert.deepEqual(told(history, 'duplicate'), []);
  assert.deepEqual(operations(history), [20_000, 20_000, 20_000]);
});

test('[RUN-21] [RUN-23] a stage of one second', () => {
  const plan = fleetPlan(3, { stages: [stageOf({ durationMs: 1000 })] });
  const history = playChecked(scene([], { plan }));
  assert.equal(exitCode(history), 0);
  assert.deepEqual(operations(history), [1000, 1000, 1000]);
  assert.equal(records(history, 'interval').length, 3);
});

test('[RUN-23] a stage of two operations for three agents: one of them has nothing to do', () => {
  const stages = [stageOf({ durationMs: undefined, maxOperations: 2 })];
  const history = playChecked(scene([], { plan: fleetPlan(3, { stages }) }));
  assert.equal(exitCode(history), 0);
  assert.deepEqual(operations(history).sort(), [0, 1, 1]);
});

test('[RUN-20] clocks 7 s apart: all start together, within the bounds that are published', () => {
  const clocks = [-3500, 0, 3500].map((ms) => ({ ...calmAgent, clockOffsetMs: 1e6 + ms }));
  const history = playChecked(scene([], { agents: clocks }));
  const began = history.truths.map(({ beganMs }) => beganMs);
  assert.equal(began.length, 3);
  const spreadMs = Math.max(...began) - Math.min(...began);
  const bounds = records(history, 'clock').map(({ clock }) => clock.boundNs / 1e6);
  assert.ok(spreadMs < 2 * Math.max(...bounds) + 0.2, `${spreadMs} ms apart`);
  assert.ok(spreadMs < 1);
  for (const { latenessNs } of records(history, 'started')) assert.ok(latenessNs < 1e6);
});

test('[RUN-28] frames are lost while all are being armed: nobody runs alone', () => {
  const faults = { corrupt: 0, drop: 0.5, repeat: 0 };
  for (let seed = 1; seed <= 20; seed += 1) {
    const fault: Fault = { kind: 'frames', agent: 1, atMs: 1500, faults, forMs: 4000 };
    const history = playChecked(scene([fault], { seed }));
    assert.equal(new Set(history.truths.map(({ epoch }) => epoch)).size, 1);
  }
});

test('[RUN-06] a frozen host: named as hung, and the run ends not later than collect after its time', () => {
  const fault: Fault = { kind: 'freeze', agent: 2, what: 'host', atMs: 12_000, forMs: 500_000 };
  const history = playChecked(scene([fault]));
  assert.equal(exitCode(history), 4);
  assert.equal(told(history, 'marking as hung').length, 1);
  assert.ok(tookMs(history) < 4200 + 20_000 + 10_000 + 500, `${tookMs(history)}`);
});

test('[RUN-07] an agent that is frozen for a while and wakes is filled in, and the run is complete', () => {
  const fault: Fault = { kind: 'freeze', agent: 2, what: 'control', atMs: 8000, forMs: 9000 };
  const history = playChecked(scene([fault]));
  assert.equal(exitCode(history), 0);
  assert.deepEqual(operations(history), [20_000, 20_000, 20_000]);
  assert.equal(records(history, 'interval').length, 60);
});

test('[RUN-07] an agent that is frozen over a stage rejoins at the next one, and cleans up with the others', () => {
  const stages = [0, 1, 2, 3].map((index) =>
    stageOf({ index, name: `s${String(index)}`, durationMs: 20_000 }),
  );
  const plan = fleetPlan(3, { stages });
  const fault: Fault = { kind: 'freeze', agent: 2, what: 'control', atMs: 15_000, forMs: 30_000 };
  const history = playChecked(scene([fault], { plan }));
  assert.equal(exitCode(history), 4);
  const started = records(history, 'stageStart').map(({ agents }) => agents.length);
  assert.deepEqual(started, [3, 2, 3, 3]);
  assert.equal(told(history, 'Dataset not removed').length, 0);
});

test('[RUN-06] an agent that wakes in the last stage, which goes on without it, cleans up with the others and at once', () => {
  const stages = [0, 1].map((index) =>
    stageOf({ index, name: `s${String(index)}`, durationMs: 20_000 }),
  );
  const plan = fleetPlan(3, { stages });
  const fault: Fault = { kind: 'freeze', agent: 2, what: 'control', atMs: 15_000, forMs: 30_000 };
  const history = playChecked(scene([fault], { plan }));
  assert.equal(exitCode(history), 4);
  const at = (is: (record: RunRecord) => boolean) =>
    history.controller.records.findLast(({ record }) => is(record))!.atMs;
  const startedMs = at((record) => record.type === 'stageStart' && record.stage === 1);
  const endedMs = at((record) => record.type === 'stageEnd' && record.stage === 1);
  const backMs = at((record) => record.type === 'link' && record.to === 'CONNECTED');
  assert.ok(startedMs < backMs && backMs < endedMs, 'it wakes while the last stage runs');
  const course = records(history, 'transition')
    .filter(({ agent }) => agent === 2)
    .map(({ to, reason }) => (to === 'COMPLETED' ? reason : to));
  assert.deepEqual(course.slice(-3), ['READY', 'CLEANING', 'removed 4 files']);
  assert.ok(history.controller.finishedAtMs! - endedMs < 1000, 'nobody is waited for');
});

test("[RPC-06] the controller is killed: every load ends by the dead man's switch", () => {
  const plan = fleetPlan(3, { stages: [stageOf({ durationMs: 500_000 })] });
  const history = playChecked(scene([{ kind: 'crashController', atMs: 10_000 }], { plan }));
  const died = history.controllerDiedMs!;
  for (const { activeUntilMs } of history.truths) {
    assert.ok(activeUntilMs - died > 34_000 && activeUntilMs - died < 36_000);
  }
});

test('[RPC-06] the controller freezes: every load ends by the lease, nobody is wrongly blamed', () => {
  const plan = fleetPlan(3, { stages: [stageOf({ durationMs: 500_000 })] });
  const fault: Fault = { kind: 'freezeController', atMs: 10_000, forMs: 300_000 };
  const history = playChecked(scene([fault], { plan }));
  for (const { activeUntilMs, beganMs } of history.truths) {
    assert.ok(activeUntilMs - beganMs < 6000 + 151_000);
  }
  assert.deepEqual(told(history, 'hung'), []);
});

test('[RPC-06] the control process of an agent is killed: its runner does not outlive it', () => {
  const fault: Fault = { kind: 'crashAgent', agent: 1, atMs: 10_000, restartAfterMs: undefined };
  const history = playChecked(scene([fault]));
  const orphan = history.truths.find(({ agent }) => agent === 1)!;
  assert.ok(orphan.activeUntilMs - history.beganAtMs < 10_100);
  assert.equal(exitCode(history), 4);
});

test('[RPC-06] the control process of an agent is frozen: its runner ends by its own deadline', () => {
  const plan = fleetPlan(3, { stages: [stageOf({ durationMs: 600_000 })] });
  const fault: Fault = { kind: 'freeze', agent: 1, what: 'control', atMs: 10_000, forMs: 700_000 };
  const history = playChecked(scene([fault], { plan }));
  const orphan = history.truths.find(({ agent }) => agent === 1)!;
  assert.ok(orphan.activeUntilMs - orphan.beganMs < 170_000);
  assert.ok(orphan.activeUntilMs - history.beganAtMs < 10_000 + ownerlessMs(plan));
});

test('[RUN-27] the runner of one agent is killed: told with the reason, the others complete', () => {
  const history = playChecked(scene([{ kind: 'killRunner', agent: 0, atMs: 12_000 }]));
  assert.equal(exitCode(history), 4);
  assert.deepEqual(told(history, 'failed'), [
    'Agent agent-1 failed: workload process was killed by SIGKILL (out of memory?)',
  ]);
  const partial = records(history, 'stageResult').find(({ agent }) => agent === 0)!;
  assert.equal(partial.result.endedBy, 'killed');
  assert.ok(partial.result.operations[0]!.count >= 6000, 'up to its last second');
});

test('[RUN-27] a runner that is frozen is shown, then killed by its agent, which says so', () => {
  const plan = fleetPlan(3, { stages: [stageOf({ durationMs: 300_000 })] });
  const fault: Fault = { kind: 'freeze', agent: 0, what: 'runner', atMs: 12_000, forMs: 1e6 };
  const history = playChecked(scene([fault], { plan }));
  assert.equal(exitCode(history), 4);
  assert.equal(told(history, 'Agent agent-1 failed:').length, 1);
});

test('[RUN-08] [LINK-05] frames are damaged on the way: told, ignored, asked for again, nothing is missing', () => {
  const faults = { corrupt: 0.05, drop: 0.02, repeat: 0.02 };
  const history = playChecked(
    scene([{ kind: 'frames', agent: 1, atMs: 3000, faults, forMs: 18_000 }]),
  );
  assert.equal(exitCode(history), 0);
  assert.ok(told(history, 'ignoring invalid message (sequence').length > 0);
  assert.deepEqual(operations(history), [20_000, 20_000, 20_000]);
  assert.equal(records(history, 'interval').length, 60);
});

test('[STAT-01] a link that stands still for seconds at a time loses no second of the time line', () => {
  const pauses = Array.from({ length: 6 }, (_, index): Fault => {
    return { kind: 'block', agent: 1, from: 'agent', atMs: 5000 + index * 3000, forMs: 2500 };
  });
  const history = playChecked(scene(pauses));
  assert.equal(exitCode(history), 0);
  assert.equal(records(history, 'interval').length, 60);
  assert.deepEqual(told(history, 'hung'), []);
});

test('[RUN-19] two of three agents are killed: the third is aborted, exit 5', () => {
  const history = playChecked(
    scene([
      { kind: 'killRunner', agent: 0, atMs: 12_000 },
      { kind: 'killRunner', agent: 1, atMs: 13_000 },
    ]),
  );
  assert.equal(exitCode(history), 5);
  assert.equal(history.controller.finished?.notRepresentative, true);
  const third = records(history, 'stageResult').find(({ agent }) => agent === 2)!;
  assert.equal(third.result.endedBy, 'aborted');
});

test('[RUN-01] an agent nobody started is named, and no other is given work', () => {
  const agents = [calmAgent, { ...calmAgent, listens: false }, calmAgent];
  const history = playChecked(scene([{ kind: 'cut', agent: 0, atMs: 500_000 }], { agents }));
  assert.equal(exitCode(history), 3);
  assert.equal(
    history.controller.notices.at(-1),
    'Agent 10.0.0.2:7761 unreachable after 5s: connection refused',
  );
  assert.equal(history.hosts[0]!.all[0]!.runners.size, 0);
});

test('[RUN-02] [RUN-09] Ctrl-C before anybody is connected leaves no agent owned', () => {
  const agents = [calmAgent, { ...calmAgent, delayMs: 900 }, calmAgent];
  const fault: Fault = { kind: 'interrupt', atMs: 1000, againAfterMs: undefined };
  const history = playChecked(scene([fault], { agents }));
  assert.equal(exitCode(history), 130);
  assert.ok(tookMs(history) < 1100);
});

const paced = (durationMs: number, perSecond: number, index = 0) =>
  stageOf({
    index,
    name: `paced-${String(index)}`,
    durationMs,
    rate: { unit: 'operations', steps: [{ from: perSecond, to: perSecond }] },
  });

test('[MEAS-06] the rate of a lost agent is taken over by the others at once; the run says so', () => {
  const plan = fleetPlan(3, { stages: [paced(20_000, 900), paced(10_000, 900, 1)] });
  const history = playChecked(scene([{ kind: 'killRunner', agent: 1, atMs: 14_000 }], { plan }));
  assert.equal(exitCode(history), 4);
  const shares = records(history, 'share');
  assert.deepEqual(
    shares.map(({ stage, epoch, agents }) => ({ stage, epoch, agents })),
    [
      { stage: 0, epoch: 1, agents: [0, 2] },
      { stage: 1, epoch: 1, agents: [0, 2] },
    ],
    'also of the stage that begins so, for which nobody has to be told anything',
  );
  for (const stage of ['paced-0', 'paced-1']) {
    const line = `The rate of stage ${stage} is now divided over 2 of 3 agents`;
    assert.equal(told(history, line).length, 1);
  }
  const sums = records(history, 'stageResult').map(({ agent, result }) => ({
    agent,
    stage: result.stage,
    count: result.operations[0]!.count,
  }));
  for (const agent of [0, 2]) {
    const first = sums.find((one) => one.agent === agent && one.stage === 0)?.count ?? 0;
    // About ten seconds with a third of the rate and ten with half of it.
    assert.ok(first > 7000 && first < 8000, String(first));
    const second = sums.find((one) => one.agent === agent && one.stage === 1)?.count ?? 0;
    assert.ok(Math.abs(second - 4500) <= 1, String(second));
  }
});

test('[MEAS-06] the rate of an agent that is only cut off or frozen stays its own', () => {
  const plan = fleetPlan(3, { stages: [paced(20_000, 900)] });
  for (const fault of [
    { kind: 'cut', agent: 1, atMs: 14_000 },
    { kind: 'freeze', agent: 1, what: 'control', forMs: 5000, atMs: 12_000 },
  ] as const satisfies readonly Fault[]) {
    const history = playChecked(scene([fault], { plan }));
    assert.deepEqual(records(history, 'share'), [], fault.kind);
    assert.deepEqual(operations(history), [6000, 6000, 6000], fault.kind);
  }
});
