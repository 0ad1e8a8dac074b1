import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunOptions } from '../../../../src/controller/core/run-io.js';
import type { Plan } from '../../../../src/shared/model/plan.js';
import { intervalOf, resultOf } from '../../../support/agent-driver.js';
import { fleetPlan, ScriptedFleet, stageOf } from '../../../support/scripted-fleet.js';

const interrupt = { kind: 'interrupt', signal: 'SIGINT' } as const;
const waiting = 'Aborting... Sent ABORT to 3 agents... Waiting for cleanup...';

/** A fleet of three, brought to where Ctrl-C is to hit it. */
const phases: readonly [string, boolean, (fleet: ScriptedFleet) => void][] = [
  ['synchronising', false, (fleet) => fleet.start().advance(20)],
  ['preparing', true, (fleet) => fleet.refuse(0, 'prepare').start().advance(500)],
  ['arming', true, (fleet) => fleet.start().advance(1000)],
  ['running', true, (fleet) => fleet.start().advance(5000)],
  ['collecting', true, (fleet) => everyone(fleet, 'result').start().advance(16_000)],
  ['cleaning', true, (fleet) => everyone(fleet, 'cleanup').start().advance(16_000)],
];

function everyone(fleet: ScriptedFleet, refuses: 'result' | 'cleanup'): ScriptedFleet {
  return fleet.refuse(0, refuses).refuse(1, refuses).refuse(2, refuses);
}

function fleetOf(options: Partial<RunOptions> = {}): ScriptedFleet {
  return new ScriptedFleet(fleetPlan(3), { cleanup: true, ...options });
}

for (const [phase, sendsAbort, bring] of phases) {
  test(`[RUN-09] Ctrl-C while ${phase}: all agents are stopped, exit 130`, () => {
    const fleet = fleetOf();
    bring(fleet);
    assert.equal(fleet.run.snapshot(fleet.now).phase, phase);
    const startedMs = fleet.nowMs;
    fleet.feed(interrupt).finish();
    assert.equal(fleet.end?.exitCode, 130);
    assert.equal(fleet.end.outcome, 'interrupted');
    assert.equal(fleet.end.reason, 'interrupted by Ctrl-C');
    assert.ok(fleet.nowMs - startedMs < 200, 'nobody has to be waited for');
    const lines = fleet.lines();
    assert.ok(lines.includes('Received Ctrl-C - aborting all agents'));
    assert.equal(lines.includes(waiting), sendsAbort);
    assert.equal(fleet.sent('abort').length, sendsAbort ? 3 : 0);
    assert.equal(fleet.sent('goodbye').length, 3);
    assert.equal(fleet.run.wakeAt(), undefined);
  });
}

test('[RUN-09] one agent is told of in the singular', () => {
  const fleet = new ScriptedFleet(fleetPlan(1), { cleanup: true }).start().advance(5000);
  fleet.feed(interrupt);
  assert.ok(fleet.lines().includes(waiting.replace('3 agents', '1 agent')));
});

test('[RUN-09] an agent that has ended by itself is not said to have been told', () => {
  const fleet = fleetOf().refuse(1, 'prepare').start().advance(500);
  fleet.says(1, { kind: 'error', code: 'target', message: 'no such folder' });
  assert.ok(fleet.lines().includes(waiting.replace('3 agents', '2 agents')));
  assert.equal(fleet.sent('abort').length, 2);
});

test('[RUN-09] Ctrl-C while connecting: dials under way are hung up, nobody is waited for', () => {
  const fleet = fleetOf().refuse(2, 'dial').start().feed(interrupt);
  assert.equal(fleet.end?.exitCode, 130);
  assert.deepEqual(
    fleet.effects('hangUp').map(({ agent }) => agent),
    [0, 1, 2],
  );
});

test('[RUN-09] SIGTERM ends the run likewise', () => {
  const fleet = fleetOf().start().advance(5000).feed({ kind: 'interrupt', signal: 'SIGTERM' });
  assert.ok(fleet.lines().includes('Received SIGTERM - aborting all agents'));
  assert.equal(fleet.end?.exitCode, 130);
});

test('[RUN-09] an agent that does not confirm is waited for 5 s, then named', () => {
  const fleet = fleetOf().start().advance(5000).freeze(1).feed(interrupt).advance(4900);
  assert.equal(fleet.end, undefined);
  fleet.advance(200);
  assert.equal(fleet.effects('finished')[0]?.exitCode, 130);
  assert.deepEqual(fleet.lines().slice(-2), [
    'agent-2 not reached; it stops by itself within 151s',
    'The dataset stays on agent-1, agent-2, agent-3: the next prepare or run of this config goes on with it, "bench-controller cleanup" removes it',
  ]);
});

test('[RUN-09] an agent whose window ends while it is told to stop is named, too', () => {
  const fleet = fleetOf().start().advance(5000).refuse(1, 'dial').cut(1).advance(28_000);
  fleet.feed(interrupt).advance(5100);
  assert.ok(fleet.lines().some((line) => line.startsWith('Agent agent-2 did not come back')));
  assert.ok(
    fleet.lines().some((line) => line.startsWith('agent-2 not reached; it stops by itself within')),
    fleet.lines().join('\n'),
  );
});

test('[RUN-10] an agent that reports its own end while it is told to stop is heard out, and is not said to go on', () => {
  const fleet = fleetOf().start().advance(5000).freeze(1).feed(interrupt);
  fleet.says(1, { kind: 'error', code: 'lease', message: 'silence' });
  assert.equal(fleet.end, undefined, 'its result and its last word follow');
  fleet.cut(1).advance(100);
  assert.equal(fleet.effects('finished')[0]?.exitCode, 130);
  assert.ok(!fleet.lines().some((line) => line.includes('not reached')));
});

test('[RUN-09] a second Ctrl-C ends at once, and still names who did not confirm', () => {
  const fleet = fleetOf().start().advance(5000).freeze(1).feed(interrupt).advance(100);
  fleet.feed(interrupt);
  assert.equal(fleet.end?.exitCode, 130);
  assert.ok(fleet.lines().includes('agent-2 not reached; it stops by itself within 156s'));
});

test('[RUN-09] an agent without a stream stops by itself after the window, or the lease if it does not know', () => {
  const fleet = fleetOf().start().advance(5000).refuse(1, 'dial').cut(1).advance(10_000);
  fleet.feed(interrupt).advance(5100);
  const line =
    'agent-2 not reached; it stops by itself within 20s (141s if it has not seen the connection break)';
  assert.ok(fleet.lines().includes(line), fleet.lines().join('\n'));
});

test('[RUN-09] an embedded agent that does not confirm ends with the command; of a killed one nothing is left to stop', () => {
  const plan = fleetPlan(3);
  const agents = plan.agents.map((agent) => ({ ...agent, isEmbedded: true as const }));
  const fleet = new ScriptedFleet({ ...plan, agents }).start().advance(5000);
  fleet.refuse(1, 'dial').cut(1).freeze(2).feed(interrupt).advance(5100);
  assert.equal(fleet.end?.exitCode, 130);
  assert.deepEqual(
    fleet.lines().filter((line) => line.includes('not reached')),
    ['agent-3 not reached; it ends with this command'],
  );
});

test('[RUN-09] [RUN-19] an agent that was lost before the abort may not know it: how long its load may go on is said', () => {
  const unreached = (fleet: ScriptedFleet): readonly string[] =>
    fleet.lines().filter((line) => line.includes('not reached'));
  const running = (): ScriptedFleet => {
    const plan = fleetPlan(3, { stages: [stageOf({ durationMs: 120_000 })] });
    return new ScriptedFleet(plan).start().advance(5000);
  };
  const lost = running().refuse(1, 'dial').cut(1).advance(31_000);
  assert.deepEqual(unreached(lost), []);
  assert.deepEqual(unreached(lost.feed(interrupt).finish()), [
    'agent-2 not reached; it stops by itself within 4s (125s if it has not seen the connection break)',
  ]);
  const majority = running().refuse(1, 'dial').refuse(2, 'dial').cut(1).cut(2);
  assert.equal(majority.finish().end?.exitCode, 5);
  assert.deepEqual(
    unreached(majority).map((line) => line.slice(0, 19)),
    ['agent-2 not reached', 'agent-3 not reached'],
  );
  const ended = running();
  ended.says(1, { kind: 'error', code: 'internal', message: 'broken' });
  ended.says(1, { kind: 'final', state: 'FAILED', reason: 'broken' }).feed(interrupt).finish();
  assert.deepEqual(unreached(ended), []);
});

test('[RUN-09] who could not be told that nobody waits any longer is named, unless it has ended', () => {
  const fleet = fleetOf().start().advance(5000).refuse(1, 'dial').cut(1).freeze(0).feed(interrupt);
  assert.deepEqual(fleet.run.outOfReach, [1]);
  const lines = fleet.run
    .nameUntold([1, 0, 2], fleet.now)
    .flatMap((effect) => (effect.kind === 'notice' ? [effect.line] : []));
  assert.deepEqual(lines, [
    'agent-1 not reached; it stops by itself within 156s',
    'agent-2 not reached; it stops by itself within 35s (156s if it has not seen the connection break)',
  ]);
});

test('an agent that was told nothing has nothing to stop', () => {
  const fleet = fleetOf().refuse(1, 'probe').start().advance(200).freeze(1).finish();
  assert.equal(fleet.end?.exitCode, 3);
  assert.ok(!fleet.lines().some((line) => line.includes('not reached')), fleet.lines().join('\n'));
});

test('an abort names the dataset of who has made or found one, and of who cannot be asked any more', () => {
  const stays = (fleet: ScriptedFleet) =>
    fleet.lines().filter((line) => line.startsWith('The dataset stays on'));
  const preparing = (options?: Partial<Plan>) => {
    const fleet = new ScriptedFleet(fleetPlan(2, options), { cleanup: true });
    return fleet.refuse(0, 'prepare').refuse(1, 'prepare').start().advance(500);
  };
  const marked = (agent: number, options?: Partial<Plan>) =>
    preparing(options).says(agent, { kind: 'marked' });
  assert.deepEqual(stays(preparing().feed(interrupt).finish()), [], 'they were still looking');
  assert.match(stays(marked(1).feed(interrupt).finish())[0]!, /^The dataset stays on agent-2:/);
  const silent = preparing().freeze(1).feed(interrupt).finish();
  assert.match(stays(silent)[0]!, /^The dataset stays on agent-2:/);
  const refused = marked(0);
  refused.says(1, { kind: 'error', code: 'dataset', message: '/mnt holds another dataset' });
  assert.match(stays(refused.finish())[0]!, /^The dataset stays on agent-1:/);
  const agents = fleetPlan(2).agents.map((agent) => ({ ...agent, target: 'null:' }));
  assert.deepEqual(stays(marked(0, { agents }).feed(interrupt).finish()), []);
  const given = { kind: 'existing', paths: ['/mnt/file'] } as const;
  const dataset = { ...fleetPlan(2).dataset, given };
  assert.deepEqual(stays(marked(0, { dataset }).feed(interrupt).finish()), []);
});

test('[RUN-09] a disconnected agent is dialled on, and told when it is back', () => {
  const fleet = fleetOf().start().advance(5000).refuse(1, 'dial').cut(1).advance(3000);
  const failed = { kind: 'dialFailed', agent: 1, code: 'refused', message: 'refused' } as const;
  fleet.feed({ ...failed, generation: 2 });
  fleet.obey(1, 'dial').feed(interrupt);
  assert.ok(fleet.end, 'the dial that waited was made at once');
  assert.equal(fleet.sent('abort', 1).length, 1);
});

/** Three agents after some seconds of load; what the second one says is said by the test. */
function midway(): { fleet: ScriptedFleet; done: number; result: () => ScriptedFleet } {
  const fleet = fleetOf().start().advance(5000).refuse(1, 'abort', 'interval');
  const done = fleet.records('interval').filter(({ agent }) => agent === 1).length;
  assert.ok(done > 0);
  const word = resultOf({ endedBy: 'aborted', intervals: done + 1 });
  return { fleet, done, result: () => fleet.says(1, { kind: 'stageResult', ...word }) };
}

const lastWord = { kind: 'final', state: 'ABORTED', reason: 'Ctrl-C' } as const;

test('[RUN-09] what an aborted agent measured is kept: results that come before its Final count', () => {
  const { fleet, done, result } = midway();
  fleet.feed(interrupt);
  assert.equal(fleet.end, undefined);
  fleet.says(1, { kind: 'interval', ...intervalOf({ first: done, last: done }) });
  result();
  assert.equal(fleet.end, undefined, 'the last word is its Final');
  fleet.says(1, lastWord);
  assert.equal(fleet.effects('finished').length, 1);
  assert.equal(fleet.records('stageResult').length, 1);
});

test('[RUN-09] what an aborted agent measured is kept: seconds that its Final overtook are waited for', () => {
  const { fleet, done, result } = midway();
  fleet.feed(interrupt);
  result()
    .says(1, lastWord)
    .advance(fleet.plan.timeouts.abortMs - 100);
  assert.equal(fleet.end, undefined);
  fleet.says(1, { kind: 'interval', ...intervalOf({ first: done, last: done }) });
  assert.equal(fleet.effects('finished').length, 1);
  assert.ok(!fleet.lines().some((line) => line.includes('not reached')));
});

test('[RUN-09] what an aborted agent measured is kept: seconds that do not come are not waited for beyond abort', () => {
  const { fleet, result } = midway();
  fleet.feed(interrupt);
  result().says(1, lastWord).advance(fleet.plan.timeouts.abortMs);
  assert.equal(fleet.end?.exitCode, 130);
});

test('[RUN-09] Ctrl-C when an agent has ended by itself: the seconds that its Final overtook are waited for', () => {
  const { fleet, done, result } = midway();
  fleet.says(1, { kind: 'error', code: 'internal', message: 'broken' });
  result()
    .says(1, { ...lastWord, state: 'FAILED', reason: 'broken' })
    .feed(interrupt);
  assert.equal(fleet.end, undefined);
  fleet.says(1, { kind: 'interval', ...intervalOf({ first: done, last: done }) });
  assert.equal(fleet.effects('finished').length, 1);
});

test('[RUN-09] a run that is being aborted by policy is interrupted all the same: exit 130', () => {
  const fleet = fleetOf().start().advance(5000).refuse(0, 'abort').freeze(0);
  for (const agent of [1, 2]) {
    fleet.says(agent, { kind: 'error', code: 'internal', message: 'broken' });
  }
  assert.equal(fleet.run.snapshot(fleet.now).phase, 'aborting');
  fleet.feed(interrupt).advance(6000);
  assert.equal(fleet.end?.exitCode, 130);
  assert.equal(fleet.end.reason, 'interrupted by Ctrl-C');
});

test('the error of an agent overtakes its result: the result is waited for before the run ends', () => {
  const stages = [stageOf({ durationMs: 5000 })];
  const fleet = new ScriptedFleet(fleetPlan(3, { stages })).start().advance(5000);
  fleet.refuse(1, 'result').says(1, { kind: 'error', code: 'killed', message: 'out of memory' });
  fleet.advance(1500);
  fleet.says(1, { kind: 'stageResult', ...resultOf({ endedBy: 'killed', intervals: 2 }) });
  fleet.says(1, { kind: 'final', state: 'FAILED', reason: 'out of memory' }).finish();
  assert.equal(fleet.records('stageResult').length, 3);
});
