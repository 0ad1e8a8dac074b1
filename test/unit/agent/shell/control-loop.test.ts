import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cancel } from '../../../../src/shared/kernel/clock.js';
import { AgentSession } from '../../../../src/agent/core/session.js';
import type { SessionEffect } from '../../../../src/agent/core/session-io.js';
import { parseAssignment } from '../../../../src/agent/core/parse-assignment.js';
import { ControlLoop } from '../../../../src/agent/shell/control-loop.js';
import type { ControlParts } from '../../../../src/agent/shell/control-loop.js';
import { assignmentOf, intervalOf, openOf } from '../../../support/agent-driver.js';
import { ManualClock } from '../../../support/manual-clock.js';

function loopOn(clock: ManualClock, overrides: Partial<ControlParts['runners']> = {}) {
  const done: string[] = [];
  const sent: SessionEffect[] = [];
  const session = new AgentSession({
    once: false,
    roots: [],
    parseAssignment,
    createHistogram: () => ({ add: () => undefined, encode: () => new Uint8Array() }),
  });
  const loop = new ControlLoop({
    session,
    clock,
    log: () => undefined,
    links: {
      accept: () => done.push('accept'),
      refuse: () => done.push('refuse'),
      send: (effect) => {
        sent.push(effect);
        done.push(effect.message.kind);
      },
      reportLink: () => done.push('reportLink'),
      flush: () => done.push('flush'),
      closeStream: () => done.push('closeStream'),
      released: () => done.push('released'),
    },
    runners: {
      fork: () => done.push('fork'),
      send: (_, command) => done.push(`runner ${command.kind}`),
      kill: () => done.push('kill'),
      ...overrides,
    },
    exit: (code) => done.push(`exit ${String(code)}`),
    rssBytes: () => 4096,
    takeGcNs: () => 77,
  });
  return { loop, done, sent, session };
}

/** Its timers fire a quarter of a second late. */
class LateClock extends ManualClock {
  override after(delayMs: number, fire: () => void): Cancel {
    return super.after(delayMs + 250, fire);
  }
}

const open = { kind: 'opened', stream: 1, open: openOf() } as const;

test('[RPC-04] without a session the loop has no timer, with one a single one, afterwards none again', () => {
  const clock = new ManualClock();
  const { loop, done } = loopOn(clock);
  assert.equal(clock.armed, 0);
  loop.feed(open);
  assert.equal(clock.armed, 1);
  clock.advance(3_000);
  assert.equal(clock.armed, 1);
  assert.deepEqual(done, ['accept', 'heartbeat', 'reportLink', 'heartbeat', 'heartbeat']);
  const goodbye = { kind: 'goodbye', reason: 'done' } as const;
  loop.feed({ kind: 'message', stream: 1, receivedNs: 0n, message: goodbye });
  assert.equal(clock.armed, 0);
});

test('[RPC-04] heartbeats carry how late the loop was', () => {
  const clock = new LateClock();
  const { loop, sent } = loopOn(clock);
  loop.feed(open);
  clock.advance(1_250);
  const [first] = sent;
  assert.ok(first?.kind === 'send' && first.message.kind === 'heartbeat');
  assert.equal(first.message.agentRssBytes, 4096);
  assert.equal(first.message.loopDelayNs, 250e6);
});

test('an input that comes while effects are carried out waits for its turn', () => {
  const clock = new ManualClock();
  const exit = { code: null, signal: null, failure: 'EAGAIN' };
  const { loop, done, session } = loopOn(clock, {
    fork: () => {
      done.push('fork');
      loop.feed({ kind: 'runnerExited', runner: 1, exit });
      done.push('forked');
    },
  });
  loop.feed(open);
  const assignment = JSON.stringify(assignmentOf());
  const message = { kind: 'prepare', assignment } as const;
  loop.feed({ kind: 'message', stream: 1, receivedNs: 0n, message });
  assert.deepEqual(done.slice(1, 6), ['state', 'fork', 'forked', 'runner prepare', 'runner lease']);
  assert.equal(session.state, 'FAILED');
});

test('[PERF-07] an interval is followed by a tick, and only then written, so that the heartbeat rides with it', () => {
  const clock = new ManualClock();
  const inputs: string[] = [];
  const { loop, session, done } = loopOn(clock);
  const { handle } = session;
  session.handle = (input, now) => {
    inputs.push([...done.splice(0), input.kind].join(' '));
    return handle.call(session, input, now);
  };
  loop.feed({ kind: 'runner', runner: 1, event: { kind: 'interval', ...intervalOf() } });
  assert.deepEqual([inputs, done], [['runner', 'tick'], ['flush']]);
  loop.feed({ kind: 'runner', runner: 1, event: { kind: 'draining', stage: 0 } });
  assert.deepEqual([inputs, done], [['runner', 'tick', 'flush runner'], []]);
});
