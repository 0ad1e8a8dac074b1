import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunnerEvent } from '../../../../src/agent/runner/protocol.js';
import { AgentDriver, runId } from '../../../support/agent-driver.js';

const other = { runId: 'beef', secret: 'other', identity: 'ann@ctl2' } as const;

test('a second controller is refused and told who owns the agent; the first run is unharmed', () => {
  const agent = new AgentDriver().running();
  const first = agent.stream;
  agent.open(other);
  assert.deepEqual(agent.last[0], {
    kind: 'refuse',
    stream: first + 1,
    code: 'busy',
    message: `busy: run ${runId} of root@ctl1 since 22:13 UTC, RUNNING`,
    owner: agent.session.owner,
  });
  assert.equal(agent.session.owner?.identity, 'root@ctl1');
  agent.receive({ kind: 'abort', reason: 'I said stop' });
  assert.equal(agent.last.length, 0, 'what a refused stream still says is not heard');
  agent.receive({ kind: 'ping', id: 1 }, first);
  assert.equal(agent.sent('pong', agent.last).length, 1);
});

test('[RUN-10] who is refused while the owner is not connected is told how long that one may still come back', () => {
  const refusal = (agent: AgentDriver): string =>
    agent.open(other).effects('refuse').at(-1)?.message ?? '';
  const agent = new AgentDriver().running();
  const first = agent.stream;
  agent.detach(first).advance(14_500);
  const busy = `busy: run ${runId} of root@ctl1 since 22:13 UTC, RUNNING; its controller is not connected, and`;
  assert.equal(refusal(agent), `${busy} loses the agent in 21s`);
  agent.advance(20_550);
  assert.equal(refusal(agent), `${busy} has lost it: its load is stopped`);
  agent.open({ generation: 2 });
  assert.doesNotMatch(refusal(agent), /not connected/);
});

test('with --steal the run is ended, both controllers and the log are told, and the agent is taken', () => {
  const agent = new AgentDriver().running();
  const first = agent.stream;
  agent.open({ ...other, steal: true });
  const reason = 'taken over by run beef of ann@ctl2 (--steal)';
  assert.deepEqual(
    agent.last.map(({ kind }) => kind),
    [
      ...['log', 'killRunner', 'send', 'log', 'send'],
      ...['reportLink', 'send', 'closeStream', 'released'],
      ...['accept', 'log', 'send'],
    ],
  );
  assert.equal(agent.sent('error')[0]?.message, reason);
  assert.equal(agent.sent('final')[0]?.state, 'ABORTED');
  assert.equal(agent.sent('stageResult').length, 1);
  assert.deepEqual(agent.effects('closeStream'), [
    { kind: 'closeStream', stream: first, goodbye: true, reason },
  ]);
  assert.match(agent.sent('log')[0]?.line ?? '', /taken away from run 7f3a of root@ctl1/);
  assert.deepEqual(
    agent.effects('released'),
    [{ kind: 'released', runId, delivered: false }],
    'its controller may fetch what it has not received',
  );
  assert.equal(agent.session.owner?.runId, 'beef');
  agent.detach(first).prepare({ runId: 'beef' });
  assert.equal(agent.session.state, 'PREPARING');
  agent.runnerExits({ signal: 'SIGKILL' }, 1);
  assert.equal(agent.session.state, 'PREPARING');
});

test('[CLI-01] of runs that steal at the same time the one with the highest id goes on, in whatever order they come', () => {
  const steal = (agent: AgentDriver, id: string): AgentDriver =>
    agent.open({ ...other, runId: id, steal: true });
  for (const order of ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']) {
    for (const first of [new AgentDriver(), new AgentDriver().running()]) {
      for (const id of order) steal(first, id).advance(500);
      assert.equal(first.session.owner?.runId, 'c', order);
    }
  }
  const agent = steal(new AgentDriver().open(), 'c').advance(3_200);
  const before = agent.session.owner;
  steal(agent, 'b');
  assert.deepEqual(agent.effects('refuse').at(-1), {
    kind: 'refuse',
    stream: agent.stream,
    code: 'busy',
    message:
      'busy: run c of ann@ctl2 took the agent with --steal 3s ago; of runs that steal at the same time one goes on, and who still wants the agent may take it in 7s',
    owner: before,
  });
  agent.advance(6_700);
  assert.equal(steal(agent, 'b').session.owner?.runId, 'c');
  agent.advance(200);
  assert.equal(steal(agent, 'b').session.owner?.runId, 'b', 'a later steal is one like any other');
});

test('[CLI-01] a run that did not steal is stolen from, whatever its id, and a stream of its own goes on', () => {
  const agent = new AgentDriver().open({ runId: 'z' }).open({ ...other, steal: true });
  assert.equal(agent.session.owner?.runId, other.runId);
  agent.open({ ...other, generation: 2, steal: true });
  assert.deepEqual(agent.effects('accept').at(-1), { kind: 'accept', stream: 3, resumed: true });
});

/** Over, and what its controller has not acknowledged is in the spool. */
function over(): AgentDriver {
  return new AgentDriver({ keeps: true }).completed();
}

test('[RUN-10] [LINK-06] an agent whose part is over and whose controller stays away is had by the next run that asks', () => {
  const agent = over();
  const first = agent.stream;
  agent.detach(first).advance(29_900).open(other);
  assert.match(
    agent.effects('refuse').at(-1)?.message ?? '',
    /COMPLETED; .* loses the agent in 1s/,
  );
  agent.advance(200).open(other);
  assert.equal(agent.session.owner?.runId, other.runId);
  assert.deepEqual(
    agent.last.map(({ kind }) => kind),
    ['runner', 'log', 'released', 'accept', 'log'],
  );
  assert.deepEqual(agent.effects('released').at(-1), { kind: 'released', runId, delivered: false });
  assert.equal(agent.ordered('quit').length, 1);
  assert.equal(agent.sent('log').length, 0, 'nothing was stolen');
  agent.prepare({ runId: other.runId });
  assert.equal(agent.session.state, 'PREPARING');
  agent.open({ generation: 2 });
  assert.match(
    agent.effects('refuse').at(-1)?.message ?? '',
    /^it let go of run 7f3a at 22:13 UTC: its part was over and its controller not heard of, and run beef of ann@ctl2 asked for the agent$/,
  );
});

test('[RUN-10] [LINK-06] one whose stream is open and silent stays with its run for the lease: its controller may be frozen', () => {
  // Its workload process has gone: one that is stuck would keep the agent as well.
  const agent = over().runnerExits({ code: 0 }).advance(149_900).open(other);
  assert.equal(agent.session.owner?.runId, runId);
  assert.equal(agent.effects('closeStream').length, 0);
});

test('[RUN-10] a part that is not over, or would be lost, stays with its run, and so does an agent for one run only', () => {
  const busy = (agent: AgentDriver): void => {
    agent.detach().advance(34_900).open(other);
    assert.equal(agent.session.owner?.runId, runId);
  };
  const report: RunnerEvent = {
    ...{ kind: 'report', rssBytes: 1, operations: 1, inFlight: 0, oldestInFlightNs: 0 },
  };
  busy(new AgentDriver({ keeps: true }).running().runner(report));
  busy(new AgentDriver().completed());
  const line = 'No spool is written (disk full)';
  busy(over().input({ kind: 'unspooled', line }));
  busy(new AgentDriver({ keeps: true, once: true }).completed());
  const delivered = new AgentDriver().completed().input({ kind: 'flushed' });
  delivered.detach().advance(30_100).open(other);
  assert.equal(delivered.session.owner?.runId, other.runId, 'its controller has all of it');
});

test('[CLI-01] the workload process of a run that is over is told to quit when its agent is stolen', () => {
  const agent = new AgentDriver().completed().open({ ...other, steal: true });
  assert.equal(agent.ordered('quit', agent.last).length, 1);
  agent.advance(1_100);
  assert.equal(agent.effects('killRunner').length, 1, 'and killed when it does not');
});

test('a stream of the same run with another secret is refused, also with --steal', () => {
  const agent = new AgentDriver().running().open({ secret: 'guess', generation: 2, steal: true });
  assert.equal(agent.effects('refuse')[0]?.code, 'secret');
  assert.equal(agent.session.state, 'RUNNING');
});

test('another protocol version is refused with both numbers', () => {
  const agent = new AgentDriver().open({ protocol: 99 });
  assert.equal(agent.effects('refuse')[0]?.code, 'protocol');
  assert.equal(
    agent.effects('refuse')[0]?.message,
    'protocol 99 is not spoken here, this agent speaks 1',
  );
  assert.equal(agent.session.owner, undefined);
});

test('[LINK-02] a newer stream of the run resumes it and closes the older, whose late end does no harm', () => {
  const agent = new AgentDriver().running();
  const first = agent.stream;
  agent.open({ generation: 2 });
  assert.deepEqual(
    agent.last.filter(({ kind }) => kind === 'closeStream' || kind === 'accept'),
    [
      {
        kind: 'closeStream',
        stream: first,
        goodbye: false,
        reason: 'replaced by a newer stream',
      },
      { kind: 'accept', stream: first + 1, resumed: true },
    ],
  );
  agent.detach(first);
  agent.receive({ kind: 'abort', reason: 'from the past' }, first);
  assert.equal(agent.session.state, 'RUNNING');
  agent.advance(60_000);
  assert.equal(agent.session.state, 'RUNNING', 'no dead man’s switch runs');
});

test('[LINK-02] an older or equal generation does not replace a newer stream', () => {
  const agent = new AgentDriver().running().open({ generation: 3 }).open({ generation: 2 });
  assert.equal(agent.effects('refuse')[0]?.message, 'stream 2 is not newer than 3');
  agent.open({ generation: 3 });
  assert.equal(agent.effects('refuse').length, 2);
});

test('[LINK-04] a run is resumed with its state and its runner after its stream was lost', () => {
  const agent = new AgentDriver().running().detach().advance(20_000).open({ generation: 2 });
  assert.deepEqual(agent.effects('accept').at(-1), { kind: 'accept', stream: 2, resumed: true });
  assert.equal(agent.session.state, 'RUNNING');
  assert.equal(agent.effects('forkRunner').length, 1);
  agent.advance(1_000);
  assert.equal(agent.sent('heartbeat', agent.last).length, 1);
  agent.advance(60_000);
  assert.equal(agent.session.state, 'RUNNING', 'the dead man’s switch is off again');
});

test('a resume of a run the agent does not know is refused: nothing of it is left to go on with', () => {
  const agent = new AgentDriver().open({ generation: 4, received: 3n });
  assert.equal(agent.effects('refuse')[0]?.code, 'secret');
  assert.match(agent.effects('refuse')[0]?.message ?? '', /is not known here/);
  assert.equal(agent.session.owner, undefined);
});

test('[LINK-02] a controller that has heard nothing of the agent yet is taken on any stream: its first one may have broken before it was open here', () => {
  const held = [{ stage: 0, first: 0, last: 0 }];
  const heard = new AgentDriver().open({ generation: 2, held });
  assert.equal(heard.effects('refuse')[0]?.code, 'secret');
  const agent = new AgentDriver().open({ generation: 2 });
  assert.deepEqual(agent.effects('accept'), [{ kind: 'accept', stream: 1, resumed: false }]);
  assert.equal(agent.prepare().session.state, 'PREPARING');
  agent.open({ generation: 2 });
  assert.equal(agent.effects('refuse')[0]?.message, 'stream 2 is not newer than 2');
});

test('[RUN-10] a resume of a run that has left the agent is told when and why, also while another run has it', () => {
  const agent = new AgentDriver().open().advance(151_000);
  assert.equal(agent.session.owner, undefined);
  const told = `it let go of run ${runId} at 22:15 UTC: nothing was heard of the controller for 150s (lease)`;
  agent.open({ generation: 2 });
  assert.equal(agent.effects('refuse').at(-1)?.message, told);
  agent.open(other).open({ generation: 3 });
  assert.equal(agent.effects('refuse').at(-1)?.message, told);
  agent.open({ generation: 3, secret: 'guess' });
  assert.equal(agent.effects('refuse').at(-1)?.code, 'busy', 'not for one who does not know it');
});

test('asking for the verdict changes nothing', () => {
  const agent = new AgentDriver().running();
  const open = { ...other, steal: true };
  for (const kind of ['steal', 'steal'] as const) {
    const asked = {
      ...open,
      kind: 'open',
      protocol: 1,
      nonce: new Uint8Array(),
      generation: 1,
      held: [],
      received: 0n,
    } as const;
    const verdict = agent.session.verdict(asked, agent.now.ms);
    assert.equal(verdict.kind, kind);
  }
  assert.equal(agent.session.owner?.runId, runId);
});
