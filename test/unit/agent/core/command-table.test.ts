import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentStates } from '../../../../src/shared/model/agent-state.js';
import type { AgentState } from '../../../../src/shared/model/agent-state.js';
import { commandTable, commands } from '../../../../src/agent/core/command-table.js';
import type { Command, CommandKind } from '../../../../src/agent/core/command-table.js';
import { AgentDriver, assignmentOf } from '../../../support/agent-driver.js';

/** A fresh agent brought into each state. */
const inState: { readonly [S in AgentState]: () => AgentDriver } = {
  IDLE: () => new AgentDriver().open(),
  PREPARING: () => new AgentDriver().open().prepare(),
  READY: () => new AgentDriver().ready(),
  ARMED: () => new AgentDriver().armed(),
  RUNNING: () => new AgentDriver().running(),
  DRAINING: () => new AgentDriver().draining(),
  CLEANING: () => new AgentDriver().completed().receive({ kind: 'cleanup' }),
  COMPLETED: () => new AgentDriver().completed(),
  FAILED: () =>
    new AgentDriver().ready().runner({ kind: 'failed', code: 'target', message: 'gone' }),
  ABORTED: () => new AgentDriver().open().receive({ kind: 'abort', reason: 'Ctrl-C' }),
};

const aCommand: { readonly [C in CommandKind]: Extract<Command, { kind: C }> } = {
  prepare: { kind: 'prepare', assignment: JSON.stringify(assignmentOf()) },
  start: { kind: 'start', stage: 0, epoch: 2, atNs: 6_000_000_000n },
  go: { kind: 'go', stage: 0, epoch: 1 },
  share: { kind: 'share', epoch: 1, index: 0, count: 2 },
  abort: { kind: 'abort', reason: 'Ctrl-C' },
  cleanup: { kind: 'cleanup' },
};

/** The effect by which one sees that a command was carried out. */
const signOf: { readonly [C in CommandKind]: (agent: AgentDriver) => boolean } = {
  prepare: (agent) => agent.effects('forkRunner', agent.last).length === 1,
  start: (agent) => agent.ordered('arm', agent.last).length === 1,
  go: (agent) => agent.ordered('go', agent.last).length === 1,
  share: (agent) => agent.ordered('share', agent.last).length === 1,
  abort: (agent) =>
    agent.ordered('abort', agent.last).length + agent.sent('final', agent.last).length === 1,
  cleanup: (agent) => agent.ordered('cleanup', agent.last).length === 1,
};

for (const state of agentStates) {
  for (const command of commands) {
    const reaction = commandTable[state][command];
    test(`[RUN-13] ${command} in state ${state}: ${reaction}`, () => {
      const agent = inState[state]();
      assert.equal(agent.session.state, state);
      agent.receive(aCommand[command]);
      assert.equal(signOf[command](agent), reaction === 'carryOut');
      const name = command.toUpperCase();
      const expected = {
        carryOut: [],
        ignore: [`Ignoring ${name} command in state ${state}`],
        duplicate: [`Ignoring duplicate ${name} command (already ${state})`],
      }[reaction];
      const ignoring = agent.lines(agent.last).filter((line) => line.startsWith('Ignoring'));
      assert.deepEqual(ignoring, expected);
      if (reaction === 'carryOut') return;
      assert.equal(agent.session.state, state);
      assert.deepEqual(
        agent.last.filter(({ kind }) => kind !== 'log' && kind !== 'runner'),
        [],
        'a command that is not carried out has no effect but a line in the log',
      );
    });
  }
}

test('[RUN-13] the literal line for a Start that comes twice', () => {
  const agent = inState.RUNNING().receive(aCommand.start);
  assert.deepEqual(agent.lines(agent.last), ['Ignoring duplicate START command (already RUNNING)']);
});

test('[RUN-13] an abort is accepted once, in every state in which it is accepted', () => {
  for (const state of agentStates) {
    if (commandTable[state].abort !== 'carryOut') continue;
    const agent = inState[state]().receive(aCommand.abort).receive(aCommand.abort);
    assert.equal(agent.ordered('abort', agent.last).length, 0, state);
    assert.equal(agent.sent('final', agent.last).length, 0, state);
    assert.match(agent.lines(agent.last).join(), /^Ignoring duplicate ABORT command/, state);
  }
});

test('[RUN-13] while a run is being aborted no command is carried out', () => {
  for (const command of commands) {
    const agent = inState.RUNNING().receive(aCommand.abort).receive(aCommand[command]);
    assert.ok(!signOf[command](agent), command);
    assert.match(agent.lines(agent.last).join(), /^Ignoring .* \(already aborting\)$/);
  }
});

test('[LINK-05] ping and probe are answered in every state', () => {
  for (const state of agentStates) {
    const agent = inState[state]();
    agent.receive({ kind: 'ping', id: 7 });
    assert.deepEqual(agent.sent('pong', agent.last), [{ kind: 'pong', id: 7 }], state);
    agent.freeze(3);
    const { now } = agent;
    agent.receive({ kind: 'probe', id: 8, t1Ns: 123n });
    assert.deepEqual(
      agent.sent('probeReply', agent.last),
      [{ kind: 'probeReply', id: 8, t1Ns: 123n, t2Ns: now.ns, t3Ns: now.ns, unixMs: now.unixMs }],
      state,
    );
  }
});
