import assert from 'node:assert/strict';
import test from 'node:test';
import { SenderPump } from '../../../../src/shared/wire/sender-pump.js';
import type { CountedKind } from '../../../../src/shared/model/link-metrics.js';
import { ManualClock } from '../../../support/manual-clock.js';

/** A pump between a list of kinds that wait and a stream that takes `room` frames. */
function setUp(room = 0) {
  const clock = new ManualClock();
  const waiting: CountedKind[] = [];
  const written: string[] = [];
  const lines: string[] = [];
  const failed = { retries: 0, backlogs: 0 };
  const state = { room, wakeAt: undefined as number | undefined };
  const pump = new SenderPump({
    source: {
      poll: () => {
        const kind = waiting.shift();
        return kind === undefined ? undefined : Buffer.from(kind);
      },
      peek: () => waiting[0],
      wakeAt: () => state.wakeAt,
      couldNotWrite: (what) => (failed[what] += 1),
    },
    write: (frame) => {
      written.push(frame.toString());
      state.room -= 1;
      return state.room > 0;
    },
    clock,
    log: (level, line) => lines.push(`${level}: ${line}`),
  });
  const send = (...kinds: CountedKind[]): void => {
    waiting.push(...kinds);
    pump.wake();
  };
  const drain = (frames: number): void => {
    state.room = frames;
    pump.drained();
  };
  return { failed, clock, waiting, written, lines, state, pump, send, drain };
}

test('[RPC-05] frames leave in the order they are offered, and nothing is taken while the stream is full', () => {
  const { written, waiting, send, drain } = setUp(2);
  send('lease', 'state', 'log', 'log');
  assert.deepEqual(written, ['lease', 'state']);
  assert.deepEqual(waiting, ['log', 'log']);
  send('ping');
  assert.deepEqual(written, ['lease', 'state'], 'a full stream is not written to');
  drain(10);
  assert.deepEqual(written, ['lease', 'state', 'log', 'log', 'ping']);
});

test('[STAT-03] [STAT-07] attempts fail after 10, 20, 30, 40 and 50 ms, and -v tells of each', () => {
  const { clock, lines, failed, send } = setUp(1);
  send('heartbeat', 'interval');
  const failures: number[] = [];
  for (let ms = 1; ms <= 400; ms += 1) {
    const before = failed.retries;
    clock.advance(1);
    if (failed.retries > before) failures.push(ms);
  }
  assert.deepEqual(failures, [10, 30, 60, 100, 150]);
  assert.deepEqual(lines, [
    'debug: stats send failed (attempt 1), retrying...',
    'debug: stats send failed (attempt 2), retrying...',
    'debug: stats send failed (attempt 3), retrying...',
    'debug: stats send failed (attempt 4), retrying...',
    'debug: Failed to send stats after retries',
  ]);
  assert.equal(failed.backlogs, 1);
  assert.equal(clock.armed, 0, 'nothing is tried any more until the stream drains');
});

test('[STAT-07] a drain during the third attempt is told as a success after 3 attempts', () => {
  const { clock, lines, written, send, drain } = setUp(1);
  send('heartbeat', 'interval');
  clock.advance(35);
  drain(5);
  assert.deepEqual(written, ['heartbeat', 'interval']);
  assert.equal(lines.at(-1), 'debug: stats message sent successfully after 3 attempts');
  assert.equal(clock.armed, 0);
});

test('a drain after all attempts failed is not told as a success of one of them', () => {
  const { clock, lines, written, send, drain } = setUp(1);
  send('heartbeat', 'interval');
  clock.advance(1000);
  drain(5);
  assert.deepEqual(written, ['heartbeat', 'interval']);
  assert.equal(lines.at(-1), 'debug: Failed to send stats after retries');
});

test('a drain in the first attempt is nothing to talk about', () => {
  const { lines, written, send, drain } = setUp(1);
  send('heartbeat', 'interval');
  drain(5);
  assert.deepEqual(written, ['heartbeat', 'interval']);
  assert.deepEqual(lines, []);
});

test('[STAT-06] a critical message that stays unsent is an error, once per backlog', () => {
  const { clock, lines, waiting, send, drain } = setUp(1);
  const errors = (): string[] => lines.filter((line) => line.startsWith('error'));
  send('state', 'heartbeat');
  clock.advance(1000);
  assert.deepEqual(errors(), ['error: Failed to send heartbeat after retries']);
  send('heartbeat');
  clock.advance(1000);
  assert.equal(errors().length, 1, 'not again in the same backlog');
  assert.deepEqual(waiting, ['heartbeat', 'heartbeat'], 'nothing was taken and lost');

  drain(2);
  send('abort');
  clock.advance(1000);
  assert.deepEqual(errors().slice(1), ['error: Failed to send abort after retries']);
});

test('[STAT-06] a critical message that comes when stats had already failed is reported as well', () => {
  const { clock, lines, waiting, send } = setUp(1);
  send('state', 'interval');
  clock.advance(1000);
  waiting.unshift('heartbeat');
  send();
  assert.deepEqual(lines.slice(-2), [
    'debug: Failed to send stats after retries',
    'error: Failed to send heartbeat after retries',
  ]);
});

test('[STAT-02] a message accepted by a stream that is then full was written once, not twice', () => {
  const { clock, written, send, drain } = setUp(1);
  send('abort');
  clock.advance(500);
  drain(1);
  assert.deepEqual(written, ['abort']);
});

test('[STAT-09] [STAT-05] a stop ends the wait between attempts at once and leaves no timer', () => {
  const { clock, lines, written, pump, send, drain, state } = setUp(1);
  state.wakeAt = clock.nowMs() + 50;
  send('heartbeat', 'interval');
  clock.advance(15);
  pump.stop();
  assert.equal(clock.armed, 0);
  const before = lines.length;
  clock.advance(1000);
  drain(5);
  pump.wake();
  assert.equal(lines.length, before);
  assert.deepEqual(
    written,
    ['heartbeat'],
    'a stopped pump writes nothing, also when a drain comes late',
  );
});

test('what becomes due by itself is written when it is due', () => {
  const { clock, waiting, written, pump, state } = setUp(5);
  state.wakeAt = clock.nowMs() + 50;
  pump.wake();
  waiting.push('ack');
  clock.advance(49);
  assert.deepEqual(written, []);
  state.wakeAt = undefined;
  clock.advance(1);
  assert.deepEqual(written, ['ack']);
  assert.equal(clock.armed, 0);
});
