import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentDriver, intervalOf } from '../../../support/agent-driver.js';

const start = { kind: 'start', stage: 0, epoch: 1, atNs: 5_000_000_000n } as const;

test('[RUN-28] nothing is armed before the workload process says so, and Go reaches it only then', () => {
  const agent = new AgentDriver().ready().receive(start);
  assert.deepEqual(agent.ordered('arm'), [{ kind: 'arm', stage: 0, epoch: 1, atNs: start.atNs }]);
  assert.equal(agent.session.state, 'READY');
  agent.receive({ kind: 'go', stage: 0, epoch: 1 });
  assert.equal(agent.ordered('go').length, 0);
  agent.runner({ kind: 'armed', stage: 0, epoch: 1 });
  assert.deepEqual(agent.sent('armed'), [{ kind: 'armed', stage: 0, epoch: 1 }]);
  agent.receive({ kind: 'go', stage: 0, epoch: 1 });
  assert.equal(agent.ordered('go').length, 1);
});

test('[RUN-28] an instant that passed without Go is answered MISSED, and a higher epoch starts anew', () => {
  const agent = new AgentDriver().armed();
  agent.runner({ kind: 'missed', stage: 0, epoch: 1, reason: 'no Go by then' });
  assert.equal(agent.sent('missed').length, 1);
  assert.equal(agent.session.state, 'READY');
  agent.receive({ kind: 'go', stage: 0, epoch: 1 });
  assert.deepEqual(agent.lines(agent.last), ['Ignoring GO command in state READY']);
  agent.receive(start);
  assert.equal(agent.ordered('arm').length, 1, 'the same epoch is not armed twice');
  agent.receive({ ...start, epoch: 2 });
  assert.equal(agent.ordered('arm').length, 2);
});

test('[RUN-28] a higher epoch replaces an armed one, and Go for the old one does nothing', () => {
  const agent = new AgentDriver().armed();
  agent.receive({ ...start, epoch: 3, atNs: 9_000_000_000n });
  agent.receive({ kind: 'go', stage: 0, epoch: 1 });
  assert.equal(agent.ordered('go').length, 0);
  assert.deepEqual(agent.lines(agent.last), ['Ignoring GO command (epoch 1 was replaced)']);
  agent.runner({ kind: 'missed', stage: 0, epoch: 1, reason: 'replaced' });
  assert.equal(
    agent.sent('missed').length,
    0,
    'what became of a replaced epoch is nobody’s concern',
  );
  agent.runner({ kind: 'armed', stage: 0, epoch: 3 });
  agent.receive({ kind: 'go', stage: 0, epoch: 3 });
  assert.deepEqual(agent.ordered('go'), [{ kind: 'go', stage: 0, epoch: 3 }]);
});

test('[RUN-28] a Start for another stage than the one that is ready is answered MISSED at once', () => {
  for (const agent of [new AgentDriver().ready(), new AgentDriver().armed()]) {
    const stage = agent.session.state === 'READY' ? 2 : 1;
    agent.receive({ ...start, stage });
    assert.equal(agent.ordered('arm', agent.last).length, 0);
    assert.deepEqual(agent.sent('missed'), [
      { kind: 'missed', stage, epoch: 1, reason: 'agent is ready for stage stage-0' },
    ]);
  }
});

test('[RUN-07] a Start for a later stage has a waiting agent get ready for that one', () => {
  const agent = new AgentDriver().ready().receive({ ...start, stage: 1 });
  assert.deepEqual(
    agent.ordered('arm').map(({ stage }) => stage),
    [1],
  );
  assert.equal(agent.session.state, 'DRAINING');
  agent.runner({ kind: 'ready', stage: 1 });
  assert.equal(agent.session.state, 'READY');
  assert.deepEqual(
    agent.sent('ready').map(({ stage }) => stage),
    [0, 1],
  );
  agent.receive({ ...start, stage: 1 });
  assert.equal(agent.ordered('arm').length, 2);
  assert.equal(agent.sent('missed').length, 0);
});

test('[RUN-12] an abort during the start wait cancels the start without any load', () => {
  const agent = new AgentDriver().armed().receive({ kind: 'abort', reason: 'Ctrl-C' });
  assert.ok(agent.lines(agent.last).includes('Coordinated start cancelled by ABORT'));
  assert.equal(agent.sent('log', agent.last)[0]?.line, 'Coordinated start cancelled by ABORT');
  assert.equal(
    agent.ordered('abort', agent.last).length,
    1,
    'the workload process is told at once',
  );
  agent.runner({ kind: 'aborted', reason: 'Ctrl-C' });
  assert.equal(agent.session.state, 'ABORTED');
  assert.deepEqual(agent.sent('final'), [{ kind: 'final', state: 'ABORTED', reason: 'Ctrl-C' }]);
  assert.equal(agent.sent('stageResult').length, 0);
  assert.equal(agent.sent('started').length, 0);
});

test('[RUN-15] intervals are passed on only while a stage is under way', () => {
  const agent = new AgentDriver().ready();
  agent.runner({ kind: 'interval', ...intervalOf() });
  assert.equal(agent.sent('interval').length, 0);
  const running = new AgentDriver().running();
  running.runner({ kind: 'interval', ...intervalOf() });
  running.runner({ kind: 'draining', stage: 0 });
  running.runner({ kind: 'interval', ...intervalOf({ first: 1, last: 1 }) });
  assert.equal(running.sent('interval').length, 2);
  const over = new AgentDriver().completed();
  over.runner({ kind: 'interval', ...intervalOf({ first: 1, last: 1 }) });
  assert.equal(over.sent('interval').length, 0);
});

test('load that is reported before its beginning was makes the agent RUNNING all the same', () => {
  const agent = new AgentDriver().armed().receive({ kind: 'go', stage: 0, epoch: 1 });
  agent.runner({ kind: 'interval', ...intervalOf() });
  assert.equal(agent.session.state, 'RUNNING');
});
