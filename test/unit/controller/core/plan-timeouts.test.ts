/** Deadlines of the plan that the controller keeps: none of them is its default here, which would hide that it is ignored. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentMessage } from '../../../../src/shared/model/messages.js';
import type { Plan } from '../../../../src/shared/model/plan.js';
import { resultOf } from '../../../support/agent-driver.js';
import { fleetPlan, ScriptedFleet, stageOf } from '../../../support/scripted-fleet.js';

/** Three agents with these deadlines, the others long. */
function fleetWith(
  timeouts: Partial<Plan['timeouts']>,
  durationMs = 900_000,
  count = 1,
): ScriptedFleet {
  const stages = Array.from({ length: count }, (_, index) =>
    stageOf({ index, name: index === 0 ? 'first' : `stage-${String(index + 1)}`, durationMs }),
  );
  const plan = fleetPlan(3, { stages });
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

test('[CONF-03] timeouts.prepare_silence: so long an agent may say nothing before its clock is known', () => {
  const fleet = fleetWith({ prepareSilenceMs: 12_000 }).freeze(1).obey(1, 'dial').start().finish();
  assertSaid(fleet, 'Agent agent-2 crashed during startup phase (no response for 12s)');
});

test('[CONF-03] timeouts.collect and prepare_io_stall: so long an agent may take to be ready for the next stage', () => {
  const timeouts = { collectMs: 27_000, prepareIoStallMs: 47_000 };
  /** agent-2 has given its result, and is not ready for what comes next. */
  const between = (): ScriptedFleet => {
    const fleet = fleetWith(timeouts, 5000, 2).refuse(1, 'result').start().advance(15_000);
    fleet.says(1, { kind: 'state', state: 'DRAINING', reason: '' });
    return fleet.says(1, { kind: 'stageResult', ...resultOf({ stage: 0, intervals: 5 }) });
  };
  const hung = between().freeze(1).finish();
  assertSaid(hung, 'Agent agent-2 not responding (no message for 27s) - marking as hung');
  const idle = between().finish();
  assertSaid(idle, 'Agent agent-2 got no further in its start phase for 47s');
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
  const timeouts = { drainMs: 63_000, abortMs: 7000, collectMs: 12_000 };
  const fleet = fleetWith(timeouts, 5000).refuse(1, 'result').start().finish();
  assertSaid(fleet, 'Agent agent-2 still gave no result of stage first 82s after its end');
});

test('[CONF-03] timeouts.cleanup: so long an agent may get no further with the removal of its dataset', () => {
  const fleet = fleetWith({ cleanupMs: 23_000 }, 5000).start().advance(500);
  fleet.refuse(1, 'cleanup').advance(10_000);
  assert.equal(fleet.run.snapshot(fleet.now).phase, 'cleaning');
  fleet.says(1, { kind: 'state', state: 'CLEANING', reason: '' }).finish();
  assertSaid(fleet, 'Agent agent-2 got no further in its cleanup phase for 23s');
});

test('[CONF-03] timeouts.collect: so long an agent may be silent that removes its dataset', () => {
  const fleet = fleetWith({ collectMs: 27_000 }, 5000).start().refuse(1, 'cleanup').advance(15_000);
  assert.equal(fleet.run.snapshot(fleet.now).phase, 'cleaning');
  fleet.freeze(1).finish();
  assertSaid(fleet, 'Agent agent-2 not responding (no message for 27s) - marking as hung');
});

test('[CONF-03] timeouts.connect, hello and reconnect_window: an agent that no dial is heard of is given up after them', () => {
  const timeouts = { connectMs: 7000, helloMs: 11_000, reconnectWindowMs: 13_000 };
  const fleet = fleetWith(timeouts).refuse(1, 'dial').start().advance(41_900);
  assert.equal(fleet.run.snapshot(fleet.now).phase, 'connecting');
  fleet.advance(200);
  assertSaid(fleet, 'Agent 10.0.0.2:7761 unreachable: no answer');
});

test('[CONF-03] timeouts.connect: an agent that cannot be reached is said to be so after that time', () => {
  const fleet = fleetWith({ connectMs: 7000 }).refuse(1, 'dial').start();
  const refused = { code: 'refused', message: 'connection refused' } as const;
  fleet.feed({ kind: 'dialFailed', generation: 1, agent: 1, ...refused });
  assertSaid(fleet, 'Agent 10.0.0.2:7761 unreachable after 7s: connection refused');
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
