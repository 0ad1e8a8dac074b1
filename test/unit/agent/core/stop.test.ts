import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentDriver } from '../../../support/agent-driver.js';

const stop = { kind: 'operatorStop', signal: 'SIGTERM' } as const;

test('an idle agent that is stopped leaves at once with 0', () => {
  const agent = new AgentDriver().input(stop);
  assert.deepEqual(agent.effects('exit'), [{ kind: 'exit', code: 0 }]);
});

test('an agent stopped during a run aborts it, tells the controller, waits for the ack and leaves with 130', () => {
  const agent = new AgentDriver().running().input(stop);
  assert.deepEqual(agent.ordered('abort'), [
    { kind: 'abort', reason: 'agent stopped by operator', graceMs: 2000 },
  ]);
  agent.runner({ kind: 'aborted', reason: '' });
  assert.deepEqual(agent.sent('error'), [
    { kind: 'error', code: 'stopped', message: 'agent stopped by operator' },
  ]);
  assert.deepEqual(agent.sent('final'), [
    { kind: 'final', state: 'ABORTED', reason: 'agent stopped by operator' },
  ]);
  agent.runnerExits({ code: 0 });
  assert.equal(agent.effects('exit').length, 0, 'the last words are not acknowledged yet');
  agent.open({ runId: 'next' });
  assert.equal(agent.effects('refuse')[0]?.code, 'stopping');
  agent.input({ kind: 'flushed' });
  assert.equal(agent.effects('closeStream')[0]?.reason, 'agent stopped by operator');
  assert.equal(agent.effects('closeStream')[0]?.goodbye, true);
  assert.deepEqual(agent.effects('exit'), [{ kind: 'exit', code: 130 }]);
});

test('the stage of an agent that is stopped was aborted, not ended by errors', () => {
  const agent = new AgentDriver().running().input(stop).runner({ kind: 'aborted', reason: '' });
  assert.deepEqual(
    agent.sent('stageResult').map(({ endedBy }) => endedBy),
    ['aborted'],
  );
});

test('a controller that does not acknowledge delays the end of a stopped agent by 2 s at most', () => {
  const agent = new AgentDriver().running().input(stop).runner({ kind: 'aborted', reason: '' });
  agent.runnerExits({ code: 0 }).advance(1_900);
  assert.equal(agent.effects('exit').length, 0);
  agent.advance(200);
  assert.deepEqual(agent.effects('exit'), [{ kind: 'exit', code: 130 }]);
});

test('a stopped agent whose stream breaks leaves without waiting', () => {
  const agent = new AgentDriver().running().input(stop).runner({ kind: 'aborted', reason: '' });
  agent.runnerExits({ code: 0 }).detach();
  assert.deepEqual(agent.effects('exit'), [{ kind: 'exit', code: 130 }]);
});

test('a stopped agent whose workload process is stuck leaves in the end all the same', () => {
  const agent = new AgentDriver().running().input(stop).advance(10_000);
  assert.equal(agent.effects('killRunner').length, 1);
  assert.deepEqual(agent.effects('exit'), [{ kind: 'exit', code: 130 }]);
});

test('a second signal does not wait', () => {
  const agent = new AgentDriver().running().input(stop).input(stop);
  assert.deepEqual(agent.effects('exit'), [{ kind: 'exit', code: 130 }]);
});

test('with once the agent leaves after one run, with 0', () => {
  const agent = new AgentDriver({ once: true }).completed();
  agent.receive({ kind: 'goodbye', reason: 'done' }).runnerExits({ code: 0 });
  assert.deepEqual(agent.effects('exit'), [{ kind: 'exit', code: 0 }]);
});

test('with once an agent that was only looked at goes on serving', () => {
  const agent = new AgentDriver({ once: true }).open();
  agent.receive({ kind: 'goodbye', reason: 'another agent is missing' });
  assert.equal(agent.session.state, 'IDLE');
  assert.deepEqual(agent.effects('exit'), []);
});

test('a goodbye in the middle of a run ends the run first, then frees the agent', () => {
  const agent = new AgentDriver().running().receive({ kind: 'goodbye', reason: 'enough' });
  assert.equal(agent.ordered('abort').length, 1);
  assert.notEqual(agent.session.owner, undefined);
  agent.runner({ kind: 'aborted', reason: '' });
  assert.equal(agent.session.state, 'IDLE');
  assert.equal(agent.effects('closeStream')[0]?.goodbye, false, 'it said goodbye itself');
});

test('an agent is reusable right after a goodbye, whatever the end of the run before', () => {
  const ended = [
    new AgentDriver().completed(),
    new AgentDriver().open().receive({ kind: 'abort', reason: 'Ctrl-C' }),
    new AgentDriver().ready().runner({ kind: 'failed', code: 'target', message: 'gone' }),
    new AgentDriver().open(),
  ];
  for (const agent of ended) {
    agent.receive({ kind: 'goodbye', reason: 'done' }).open({ runId: 'next' });
    assert.equal(agent.session.owner?.runId, 'next');
    assert.equal(agent.session.state, 'IDLE');
  }
});
