import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentDriver, intervalOf, resultOf } from '../../../support/agent-driver.js';

const progress = {
  phase: 'cleanup',
  filesDone: 1,
  filesTotal: 3,
  bytesDone: 0,
  bytesTotal: 0,
} as const;

test('a run goes from IDLE through two stages to COMPLETED, then the agent is free', () => {
  const agent = new AgentDriver().running();
  assert.equal(agent.session.state, 'RUNNING');
  agent.runner({ kind: 'interval', ...intervalOf() });
  agent.runner({ kind: 'draining', stage: 0 });
  assert.equal(agent.session.state, 'DRAINING');
  agent.runner({ kind: 'stageResult', ...resultOf() });
  assert.equal(agent.session.state, 'DRAINING');
  agent.runner({ kind: 'ready', stage: 1 });
  assert.equal(agent.session.state, 'READY');
  agent.receive({ kind: 'start', stage: 1, epoch: 1, atNs: 9_000_000_000n });
  agent.runner({ kind: 'armed', stage: 1, epoch: 1 });
  agent.receive({ kind: 'go', stage: 1, epoch: 1 });
  const started = { stage: 1, epoch: 1, firstOperationNs: 1n, atNs: 1n };
  agent.runner({ kind: 'started', ...started });
  agent.runner({ kind: 'stageResult', ...resultOf({ stage: 1 }) });
  assert.equal(agent.session.state, 'COMPLETED');
  assert.deepEqual(agent.sent('final'), [{ kind: 'final', state: 'COMPLETED', reason: '' }]);
  agent.receive({ kind: 'goodbye', reason: 'done' });
  assert.equal(agent.session.state, 'IDLE');
  assert.equal(agent.session.owner, undefined);
  assert.equal(agent.ordered('quit').length, 1);
  assert.deepEqual(
    agent.sent('state').map(({ state }) => state),
    ['PREPARING', 'RUNNING', 'DRAINING', 'RUNNING'],
  );
});

test('[RUN-15] READY is sent exactly once per stage, whatever the workload process repeats', () => {
  const agent = new AgentDriver().ready();
  agent.runner({ kind: 'ready', stage: 0 });
  agent.receive({ kind: 'start', stage: 0, epoch: 1, atNs: 1n });
  agent.runner({ kind: 'armed', stage: 0, epoch: 1 });
  agent.runner({ kind: 'ready', stage: 0 });
  agent.advance(10_000);
  assert.deepEqual(agent.sent('ready'), [{ kind: 'ready', stage: 0 }]);
});

test('a run of another mode completes with that mode', () => {
  const prepared = new AgentDriver().open().prepare({ mode: 'prepare' });
  assert.equal(prepared.session.state, 'PREPARING');
  prepared.runner({ kind: 'prepared' });
  assert.equal(prepared.session.state, 'COMPLETED');
  const cleaned = new AgentDriver().open().prepare({ mode: 'cleanup' });
  assert.equal(cleaned.session.state, 'CLEANING');
  cleaned.runner({ kind: 'cleaned', files: 3, warnings: [] });
  assert.equal(cleaned.session.state, 'COMPLETED');
  assert.equal(cleaned.sent('cleaned')[0]?.files, 3);
  const checked = new AgentDriver().open().prepare({ mode: 'check' });
  checked.runner({ kind: 'checked', report: '{}' });
  assert.equal(checked.session.state, 'COMPLETED');
  for (const agent of [prepared, cleaned, checked]) assert.equal(agent.sent('final').length, 1);
});

test('[RUN-15] a stage is READY only after the one before it has given its result', () => {
  const agent = new AgentDriver().draining().runner({ kind: 'ready', stage: 1 });
  assert.equal(agent.session.state, 'DRAINING');
  agent.runner({ kind: 'stageResult', ...resultOf() }).runner({ kind: 'ready', stage: 0 });
  assert.equal(agent.session.state, 'DRAINING');
  assert.equal(agent.sent('ready').length, 1);
});

test('a cleanup after the run is answered with cleaned; the last word was said before', () => {
  const agent = new AgentDriver().completed().receive({ kind: 'cleanup' });
  assert.equal(agent.session.state, 'CLEANING');
  agent
    .runner({ kind: 'progress', ...progress })
    .runner({ kind: 'cleaned', files: 3, warnings: [] });
  assert.equal(agent.session.state, 'COMPLETED');
  assert.equal(agent.sent('progress').length, 1);
  assert.equal(agent.sent('cleaned').length, 1);
  assert.equal(agent.sent('final').length, 1);
});

test('a cleanup that fails after a completed run fails the run', () => {
  const agent = new AgentDriver().completed().receive({ kind: 'cleanup' });
  agent.runner({ kind: 'failed', code: 'permission', message: 'cannot remove' });
  assert.deepEqual(
    agent.sent('final').map(({ state }) => state),
    ['COMPLETED', 'FAILED'],
  );
});

test('an agent that missed a stage can be told to clean up while it is READY for it', () => {
  const agent = new AgentDriver().ready().receive({ kind: 'cleanup' });
  assert.equal(agent.session.state, 'CLEANING');
  agent.runner({ kind: 'cleaned', files: 3, warnings: [] });
  assert.equal(agent.sent('final')[0]?.state, 'COMPLETED');
});

test('a new share of the rate goes to the workload process; one of an older epoch does not', () => {
  const agent = new AgentDriver().running();
  agent.receive({ kind: 'share', epoch: 2, index: 1, count: 2 });
  agent.receive({ kind: 'share', epoch: 1, index: 1, count: 3 });
  agent.receive({ kind: 'share', epoch: 2, index: 0, count: 3 });
  assert.deepEqual(agent.ordered('share'), [{ kind: 'share', index: 1, count: 2 }]);
  assert.ok(agent.lines().includes('Ignoring SHARE command (epoch 1 was replaced)'));
});

test("[LINK-11] what changes of the link is in the agent's log and in the controller's", () => {
  const line = 'stats are acknowledged after 3000 ms; intervals per frame are now 2';
  const agent = new AgentDriver().running().input({ kind: 'linkAdapted', line });
  assert.deepEqual(agent.last, [
    { kind: 'log', level: 'debug', line },
    { kind: 'send', message: { kind: 'log', level: 'debug', line } },
  ]);
});

test('[CONF-03] a stage that its errors ended fails the agent, after its result', () => {
  const agent = new AgentDriver().running();
  agent.runner({ kind: 'stageResult', ...resultOf({ endedBy: 'error' }) });
  assert.deepEqual(agent.sent('final'), []);
  agent.runner({ kind: 'failed', code: 'operations', message: 'too many errors' });
  assert.deepEqual(
    agent.sent('final').map(({ state, reason }) => [state, reason]),
    [['FAILED', 'too many errors']],
  );
  assert.equal(agent.sent('stageResult').length, 1);
});
