import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentDriver, assignmentOf, intervalOf } from '../../../support/agent-driver.js';
import type { RunnerEvent } from '../../../../src/agent/runner/protocol.js';

const report: RunnerEvent = {
  kind: 'report',
  rssBytes: 1,
  operations: 1,
  inFlight: 0,
  oldestInFlightNs: 0,
};

/** Time in which the workload process reports and the controller does not say a word. */
function silence(agent: AgentDriver, ms: number): AgentDriver {
  for (let left = ms; left > 0; left -= 1_000) agent.advance(Math.min(left, 1_000)).runner(report);
  return agent;
}

test('[RPC-06] silence on the open stream for the lease aborts the load, then the agent is free', () => {
  const agent = silence(new AgentDriver().running(), 149_000);
  assert.equal(agent.ordered('abort').length, 0);
  agent.advance(1_200);
  assert.ok(agent.lines().includes('Controller disconnected - aborting'));
  assert.equal(agent.ordered('abort').length, 1);
  assert.equal(agent.session.owner?.runId, '7f3a', 'busy until the load has stopped');
  agent.runner({ kind: 'aborted', reason: '' });
  assert.equal(agent.session.state, 'IDLE');
  assert.equal(agent.session.owner, undefined);
  assert.equal(agent.sent('error')[0]?.code, 'lease');
  assert.equal(agent.effects('closeStream').length, 1);
  assert.equal(agent.effects('exit').length, 0);
});

test('[RPC-06] any message of the controller keeps the lease', () => {
  const agent = new AgentDriver().running();
  for (let second = 0; second < 400; second += 100) {
    silence(agent, 100_000).receive({ kind: 'pong', id: 1 });
  }
  assert.equal(agent.session.state, 'RUNNING');
});

test('a stream that closed without goodbye gives the controller its window and 5 s to come back', () => {
  const agent = silence(new AgentDriver().running().detach(), 34_000);
  assert.ok(agent.lines().includes('Stream closed by controller'));
  assert.equal(agent.session.state, 'RUNNING');
  agent.advance(1_200);
  assert.ok(agent.lines().includes('Controller disconnected - aborting'));
  assert.match(agent.ordered('abort')[0]?.reason ?? '', /was lost, and not back within 35s$/);
  agent.advance(3_000);
  assert.equal(agent.effects('killRunner').length, 1, 'the load ends even if it must be killed');
  agent.runnerExits({ signal: 'SIGKILL' });
  assert.equal(agent.session.state, 'IDLE');
});

test('[RUN-10] an owner speaks as long as it is connected and was heard in the last five seconds', () => {
  const agent = new AgentDriver();
  const speaks = (): boolean => agent.session.ownerSpeaks(agent.now.ms);
  assert.equal(speaks(), false, 'nobody owns it');
  agent.open().freeze(4_999);
  assert.equal(speaks(), true);
  agent.freeze(1);
  assert.equal(speaks(), false);
  agent.receive({ kind: 'lease', count: 1 });
  assert.equal(speaks(), true);
  agent.detach();
  assert.equal(speaks(), false);
  agent.open({ generation: 2 });
  assert.equal(speaks(), true);
});

test('[RPC-06] a controller that is back later than its lease is long has the whole lease again', () => {
  const timeouts = { ...assignmentOf().timeouts, leaseMs: 20_000, reconnectWindowMs: 60_000 };
  const agent = silence(new AgentDriver().running({ timeouts }).detach(), 40_000);
  silence(agent.open({ generation: 2 }), 19_900);
  assert.equal(agent.ordered('abort').length, 0);
  silence(agent, 300);
  assert.equal(agent.ordered('abort').length, 1);
});

test('before the run brings its own times, a connection that is lost gives its controller 35 s', () => {
  const agent = new AgentDriver().open();
  agent.detach().advance(34_900);
  assert.equal(agent.session.owner?.runId, '7f3a');
  agent.advance(300);
  assert.equal(agent.session.owner, undefined);
});

test('the run’s own lease and window are used once it is prepared', () => {
  const timeouts = { ...assignmentOf().timeouts, leaseMs: 20_000, reconnectWindowMs: 3_000 };
  const open = silence(new AgentDriver().running({ timeouts }), 20_200);
  assert.equal(open.ordered('abort').length, 1);
  const closed = silence(new AgentDriver().running({ timeouts }).detach(), 8_200);
  assert.equal(closed.ordered('abort').length, 1);
});

test('[RPC-06] after a freeze the messages that were buffered are read before the lease is judged', () => {
  const agent = new AgentDriver().running().freeze(200_000).tick();
  assert.equal(agent.ordered('abort').length, 0);
  agent.receive({ kind: 'lease', count: 9 }).runner(report).advance(1_000);
  assert.equal(agent.ordered('abort').length, 0);
  assert.equal(agent.session.state, 'RUNNING');
  agent.freeze(200_000).tick().receive({ kind: 'lease', count: 10 }).runner(report).advance(1_000);
  assert.equal(agent.ordered('abort').length, 0, 'nor at the second freeze');
  const silent = new AgentDriver().running().freeze(200_000).tick().runner(report).advance(200);
  assert.equal(silent.ordered('abort').length, 1);
});

test('[RUN-27] a workload process that does not report is killed in time also while no controller is connected', () => {
  const timeouts = { ...assignmentOf().timeouts, reconnectWindowMs: 600_000 };
  const agent = new AgentDriver().running({ timeouts }).detach().advance(119_900);
  assert.equal(agent.effects('killRunner').length, 0);
  agent.advance(300);
  assert.equal(agent.effects('killRunner').length, 1);
});

test('[RUN-10] lease renewals reach the workload process as a monotonic deadline behind control’s own', () => {
  const agent = new AgentDriver().running();
  agent.freeze(1_000).receive({ kind: 'lease', count: 1 });
  const nowNs = agent.now.ns;
  assert.deepEqual(agent.ordered('lease', agent.last), [
    { kind: 'lease', untilNs: nowNs + 155_000_000_000n },
  ]);
  agent.detach();
  assert.deepEqual(agent.ordered('lease', agent.last), [
    { kind: 'lease', untilNs: nowNs + 40_000_000_000n },
  ]);
  agent.open({ generation: 2 });
  assert.equal(agent.ordered('lease', agent.last).length, 1);
});

test('[RUN-10] the workload process has a deadline from its first moment', () => {
  const agent = new AgentDriver().open().prepare();
  assert.deepEqual(
    agent.effects('runner').map(({ command }) => command.kind),
    ['prepare', 'lease'],
  );
});

test('[RUN-27] a workload process that is killed after its deadline ended itself: nobody speaks of memory', () => {
  const agent = new AgentDriver().running().freeze(156_000).runnerExits({ signal: 'SIGKILL' });
  assert.equal(agent.sent('error')[0]?.code, 'lease');
  assert.match(agent.sent('error')[0]?.message ?? '', /its lease was not renewed in time/);
  const late = new AgentDriver().running().freeze(156_000).receive({ kind: 'lease', count: 1 });
  late.runnerExits({ signal: 'SIGKILL' });
  assert.equal(late.sent('error')[0]?.code, 'lease', 'what lay there is read before its end is');
  const later = new AgentDriver().running().freeze(156_000).receive({ kind: 'lease', count: 1 });
  later.freeze(6_000).runnerExits({ signal: 'SIGKILL' });
  assert.equal(later.sent('error')[0]?.code, 'killed');
  const early = new AgentDriver().running().freeze(154_000).runnerExits({ signal: 'SIGKILL' });
  assert.equal(early.sent('error')[0]?.code, 'killed');
});

test('with once a lost controller ends the agent with exit 0', () => {
  const agent = silence(new AgentDriver({ once: true }).running().detach(), 35_200);
  assert.ok(agent.lines().includes('Controller disconnected - aborting'));
  agent.runner({ kind: 'aborted', reason: '' });
  assert.ok(agent.lines().includes('Controller disconnected - exiting'));
  assert.equal(agent.effects('exit').length, 0, 'the workload process is still leaving');
  agent.runnerExits({ code: 0 });
  assert.deepEqual(agent.effects('exit'), [{ kind: 'exit', code: 0 }]);
});

test('a controller that is lost before it prepared anything does not keep the agent', () => {
  const agent = new AgentDriver().open().detach().advance(36_000);
  assert.equal(agent.session.owner, undefined);
  assert.equal(agent.session.wakeAt(), undefined);
});

test('an aborted run whose last words were acknowledged is let go when its stream ends', () => {
  const agent = new AgentDriver().open().receive({ kind: 'abort', reason: 'Ctrl-C' });
  agent.input({ kind: 'flushed' });
  assert.equal(agent.effects('released').length, 0, 'not before');
  agent.detach();
  assert.deepEqual(
    agent.effects('released').map(({ delivered }) => delivered),
    [false],
    'what it kept may still be asked for',
  );
  assert.equal(agent.session.owner, undefined);
  const owing = new AgentDriver().open().receive({ kind: 'abort', reason: 'Ctrl-C' }).detach();
  assert.notEqual(owing.session.owner, undefined);
  const completed = new AgentDriver().completed().input({ kind: 'flushed' }).detach();
  assert.notEqual(completed.session.owner, undefined, 'it may still be told to clean up');
});

test('[RPC-06] a heartbeat comes every second in every state, and only while a stream is there', () => {
  const agent = new AgentDriver();
  assert.equal(agent.session.wakeAt(), undefined, 'an idle agent needs no timer');
  agent.open().advance(3_000);
  assert.equal(agent.sent('heartbeat').length, 3);
  assert.equal(agent.sent('heartbeat')[0]?.state, 'IDLE');
  agent.prepare().advance(2_000);
  assert.equal(agent.sent('heartbeat').at(-1)?.state, 'PREPARING');
  agent.detach().advance(5_000);
  assert.equal(agent.sent('heartbeat').length, 5);
  agent.open({ generation: 2 }).advance(1_000);
  assert.equal(agent.sent('heartbeat').length, 6);
});

test('[RPC-06] [PERF-07] while intervals are sent a heartbeat goes with each, and none besides; when they stop it comes alone', () => {
  const agent = new AgentDriver().running();
  const secondsOf = (count: number, first = 0): number[] =>
    Array.from({ length: count }, (_, index) => first + index);
  const beats = (): number => agent.sent('heartbeat').length;
  agent.advance(700);
  const before = beats();
  for (const second of secondsOf(5)) {
    agent.runner({ kind: 'interval', ...intervalOf({ first: second, last: second }) }).tick();
    assert.equal(beats(), before + second + 1, `with interval ${String(second)}`);
    agent.advance(second % 2 === 0 ? 960 : 1_040);
    assert.equal(beats(), before + second + 1, `until after interval ${String(second)}`);
  }
  agent.advance(3_100);
  assert.equal(
    beats(),
    before + 8,
    'without intervals: 1.1 s after the last one, then every second',
  );
});

test('[RPC-06] intervals that come close together do not make heartbeats do so', () => {
  const agent = new AgentDriver().running();
  agent.advance(700);
  const before = agent.sent('heartbeat').length;
  for (let second = 0; second < 20; second += 1) {
    agent.runner({ kind: 'interval', ...intervalOf({ first: second, last: second }) }).tick();
    agent.advance(100);
  }
  const beats = agent.sent('heartbeat').length - before;
  assert.ok(beats >= 2 && beats <= 5, `${String(beats)} in two seconds`);
});

test('[LINK-12] the agent reports on its link after the first heartbeat and every ten seconds, before its last words, and when a stream is back', () => {
  const agent = new AgentDriver().open();
  const reports = (): number => agent.effects('reportLink').length;
  agent.advance(1000);
  assert.equal(reports(), 1);
  agent.advance(9000);
  assert.equal(reports(), 1);
  agent.advance(1000);
  assert.equal(reports(), 2);
  agent.detach().advance(20_000);
  assert.equal(reports(), 2, 'nobody would hear it');
  agent.open({ generation: 2 });
  assert.deepEqual(
    agent.last.map(({ kind }) => kind).slice(0, 2),
    ['accept', 'reportLink'],
    'before anything is replayed',
  );
  agent.receive({ kind: 'abort', reason: 'test' });
  const kinds = agent.last.map((effect) =>
    effect.kind === 'send' ? effect.message.kind : effect.kind,
  );
  assert.equal(kinds.indexOf('final') - kinds.indexOf('reportLink'), 1, kinds.join(' '));
});

test('[RUN-16] heartbeats carry the memory of agent and workload process, and the longest loop delay', () => {
  const agent = new AgentDriver().running();
  agent.runner({ ...report, rssBytes: 5_000, operations: 42, inFlight: 3, oldestInFlightNs: 99 });
  agent.input({ kind: 'tick', health: { loopDelayNs: 7, rssBytes: 1_000 } });
  agent.freeze(1_000).input({ kind: 'tick', health: { loopDelayNs: 3, rssBytes: 2_000 } });
  assert.deepEqual(agent.sent('heartbeat'), [
    {
      kind: 'heartbeat',
      state: 'RUNNING',
      loopDelayNs: 7,
      agentRssBytes: 2_000,
      runnerRssBytes: 5_000,
      operations: 42,
      inFlight: 3,
      oldestInFlightNs: 99,
      runnerSilenceNs: 1e9,
      starvedThreads: 0,
    },
  ]);
  agent.freeze(1_000).input({ kind: 'tick', health: { loopDelayNs: 2, rssBytes: 2_000 } });
  assert.equal(agent.sent('heartbeat')[1]?.loopDelayNs, 2, 'of the time since the last one only');
});
