/** Deadlines of the plan that the controller keeps: none of them is its default here, which would hide that it is ignored. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentMessage } from '../../../../src/shared/model/messages.js';
import type { Plan } from '../../../../src/shared/model/plan.js';
import { fleetPlan, ScriptedFleet, stageOf } from '../../../support/scripted-fleet.js';

/** Three agents with these deadlines, the others long. */
function fleetWith(timeouts: Partial<Plan['timeouts']>, durationMs = 900_000): ScriptedFleet {
  const plan = fleetPlan(3, { stages: [stageOf({ durationMs })] });
  const long = { ...plan.timeouts, leaseMs: 3_600_000, prepareIoStallMs: 3_600_000 };
  return new ScriptedFleet({ ...plan, timeouts: { ...long, ...timeouts } }, { cleanup: true });
}

/** What agent-2 says last of its work. */
const progress: AgentMessage = {
  ...{ kind: 'progress', phase: 'prepare', filesDone: 5, filesTotal: 100 },
  ...{ bytesDone: 0, bytesTotal: 0 },
};

function assertSaid(fleet: ScriptedFleet, line: string): void {
  assert.ok(fleet.lines().includes(line), fleet.lines().join('\n'));
}

test('[CONF-03] timeouts.prepare_silence: so long an agent may say nothing while it prepares', () => {
  const fleet = fleetWith({ prepareSilenceMs: 47_000 }).refuse(1, 'prepare').start();
  fleet.advance(500).freeze(1).finish();
  assertSaid(fleet, 'Agent agent-2 crashed during prepare phase (no response for 47s)');
});

test('[CONF-03] timeouts.prepare_io_stall: so long an agent that answers may get no further while it prepares', () => {
  const fleet = fleetWith({ prepareIoStallMs: 47_000 }).refuse(1, 'prepare').start();
  fleet.advance(500).says(1, progress).finish();
  assertSaid(fleet, 'Agent agent-2 got no further in its prepare phase for 47s');
});

test('[CONF-03] timeouts.ping_after and hung_after: an agent without stats is asked, then hung', () => {
  const fleet = fleetWith({ pingAfterMs: 17_000, hungAfterMs: 14_000 }).start().advance(5000);
  fleet.freeze(1).advance(120_000);
  assertSaid(fleet, 'Agent agent-2 no stats for 17s, sending PING');
  assertSaid(fleet, 'Agent agent-2 not responding (no stats for 31s) - marking as hung');
});

test('[CONF-03] timeouts.collect: so long a silent agent is waited for after the end of a stage', () => {
  const fleet = fleetWith({ collectMs: 27_000 }, 20_000).start().advance(15_000).freeze(0);
  fleet.finish();
  const started = fleet.records('stageStart')[0];
  assert.ok(started);
  const lateMs = fleet.nowMs - (Number(started.t0Ns) / 1e6 + 20_000);
  assert.ok(lateMs >= 27_000 && lateMs < 27_500, String(lateMs));
});

test('[CONF-03] timeouts.drain: so much longer an agent that answers may take for its result', () => {
  const fleet = fleetWith({ drainMs: 63_000 }, 5000).refuse(1, 'result').start().finish();
  assertSaid(fleet, 'Agent agent-2 still gave no result of stage first 78s after its end');
});

test('[CONF-03] timeouts.cleanup: so long an agent may get no further with the removal of its dataset', () => {
  const fleet = fleetWith({ cleanupMs: 23_000 }, 5000).start().advance(500);
  fleet.refuse(1, 'cleanup').advance(10_000);
  assert.equal(fleet.run.snapshot(fleet.now).phase, 'cleaning');
  fleet.says(1, { kind: 'state', state: 'CLEANING', reason: '' }).finish();
  assertSaid(fleet, 'Agent agent-2 got no further in its cleanup phase for 23s');
});

test('[CONF-03] timeouts.abort: so long an agent that does not confirm an abort is waited for', () => {
  const fleet = fleetWith({ abortMs: 13_000 }).start().advance(5000).freeze(1);
  fleet.feed({ kind: 'interrupt', signal: 'SIGINT' }).advance(12_900);
  assert.equal(fleet.end, undefined);
  assert.equal(fleet.advance(200).end?.exitCode, 130);
});

test('[CONF-03] timeouts.reconnect_window: so long a lost connection is dialled again', () => {
  const fleet = fleetWith({ reconnectWindowMs: 53_000 }).start().advance(5000);
  const givenUp = () => fleet.lines().some((line) => line.startsWith('Agent agent-2 did not'));
  fleet.refuse(1, 'dial').cut(1).advance(52_900);
  assert.equal(givenUp(), false);
  fleet.advance(200);
  assert.equal(givenUp(), true);
});
