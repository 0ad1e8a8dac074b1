import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redialDelayMs } from '../../../../src/controller/core/backoff.js';
import { LinkKeeper } from '../../../../src/controller/core/link-keeper.js';
import { Outbox } from '../../../../src/controller/core/outbox.js';
import type { RunEffect } from '../../../../src/controller/core/run-io.js';

function keeper(windowMs = 30_000, random = () => 0.5) {
  const outbox = new Outbox();
  const link = new LinkKeeper({
    agent: { index: 0, id: 'agent-1' },
    reconnectWindowMs: windowMs,
    random,
    outbox,
    held: () => [{ stage: 0, first: 0, last: 3 }],
  });
  return { link, outbox };
}

function connected(windowMs?: number, random?: () => number) {
  const made = keeper(windowMs, random);
  made.link.dialNow();
  made.link.dialed(1);
  made.outbox.take();
  return made;
}

const usual = { firstMs: 250, capMs: 5000 };

const kinds = (effects: readonly RunEffect[]) => effects.map(({ kind }) => kind);

test('[LINK-01] re-dial delays double up to the cap, and the jitter is applied after it', () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 100].map((attempt) =>
    redialDelayMs(attempt, () => 1, usual),
  );
  assert.deepEqual(longest, [250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
  assert.equal(
    redialDelayMs(9, () => 0.25, usual),
    1250,
    'at the cap too they are spread',
  );
});

test('[LINK-01] many agents cut at once do not come back in step', () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647;
  };
  const delays = Array.from({ length: 20 }, () => redialDelayMs(5, random, usual)).sort(
    (a, b) => a - b,
  );
  assert.ok(delays.at(-1)! - delays[0]! > 2500, `${delays[0]} to ${delays.at(-1)}`);
  assert.equal(new Set(delays.map((ms) => Math.round(ms / 10))).size > 15, true);
});

test('[LINK-02] a lost stream is dialled again with a new generation and what is held', () => {
  const { link, outbox } = connected();
  assert.equal(link.lost(1, 'connection reset', 1000), true);
  assert.equal(link.state, 'DISCONNECTED');
  assert.equal(link.wakeAt(), 1125);
  link.tick(1124);
  link.tick(1125);
  const [record, dial] = outbox.take();
  assert.equal(record?.kind, 'record');
  assert.deepEqual(dial, {
    kind: 'dial',
    agent: 0,
    generation: 2,
    held: [{ stage: 0, first: 0, last: 3 }],
  });
  assert.equal(link.dialed(2), true);
  assert.equal(link.state, 'CONNECTED');
  assert.equal(link.wakeAt(), undefined);
});

test('[LINK-02] the late close of an old stream cannot hurt the new one', () => {
  const { link } = connected();
  link.lost(1, 'reset', 0);
  link.tick(125);
  link.dialed(2);
  assert.equal(link.lost(1, 'late close', 200), false);
  assert.equal(link.state, 'CONNECTED');
  assert.equal(link.isOpen, true);
});

test('[LINK-02] the answer to a dial that was given up is not taken', () => {
  const { link, outbox } = connected();
  link.lost(1, 'reset', 0);
  link.tick(125);
  link.close('the run is over');
  assert.deepEqual(kinds(outbox.take()).includes('hangUp'), true);
  assert.equal(link.dialed(2), false);
  assert.equal(link.dialFailed(2, 'refused', 'refused', 300), 'stale');
  assert.equal(link.state, 'CLOSED');
});

test('a dial that fails is repeated while the window lasts, unless somebody said no', () => {
  const { link } = connected(2000);
  link.lost(1, 'reset', 0);
  link.tick(125);
  assert.equal(link.dialFailed(2, 'refused', 'connection refused', 130), 'again');
  assert.equal(link.wakeAt(), 380);
  assert.equal(link.windowOver(1999), false);
  assert.equal(link.windowOver(2000), true);
  link.tick(380);
  assert.equal(link.dialFailed(3, 'secret', 'not known here', 400), 'final');
});

test('[LINK-02] whatever delays are drawn, a dial is made in the last two seconds of the window, and not at its very end', () => {
  for (const drawn of [0.3, 0.5, 0.7, 0.9, 1]) {
    const { link } = connected(30_000, () => drawn);
    link.lost(1, 'reset', 1000);
    const dials: number[] = [];
    for (let at = link.wakeAt()!; !link.windowOver(at); at = link.wakeAt()!) {
      link.tick(at);
      dials.push(at);
      link.dialFailed(link.generation, 'refused', 'connection refused', at);
    }
    const late = dials.filter((at) => at >= 29_000 && at <= 30_000);
    assert.ok(late.length > 0, `drawn ${drawn}: dialled at ${dials.join(' ')}`);
  }
});

test('the very first dial is not repeated: the driver had the whole connect time', () => {
  const { link } = keeper();
  link.dialNow();
  assert.equal(link.dialFailed(1, 'timeout', 'no answer', 5000), 'final');
});

test('[LINK-02] a hung agent whose stream breaks stays hung until it speaks on a new one', () => {
  const { link } = connected();
  link.markHung('no stats for 120s');
  assert.equal(link.isOpen, true);
  link.lost(1, 'reset', 0);
  assert.equal(link.state, 'HUNG');
  assert.equal(link.heard(0), false, 'there is no stream to hear it on');
  link.tick(125);
  link.dialed(2);
  assert.equal(link.state, 'CONNECTED');
});

test('a dead stream is hung up and replaced without waiting', () => {
  const { link, outbox } = connected();
  link.replaceDeadStream(500, 480);
  const effects = outbox.take();
  assert.deepEqual(kinds(effects), ['hangUp', 'record', 'dial']);
  const reason = 'stream is dead, agent answers on a new connection';
  const told = { type: 'link', agent: 0, to: 'DISCONNECTED', generation: 1, reason, silentMs: 480 };
  assert.deepEqual(effects[1], { kind: 'record', record: told });
  assert.equal(link.generation, 2);
  assert.equal(link.lost(1, 'end of the old one', 600), false);
});

test('with little time left a waiting dial is made at once', () => {
  const { link, outbox } = connected();
  link.lost(1, 'reset', 0);
  outbox.take();
  link.hurry();
  assert.deepEqual(kinds(outbox.take()), ['dial']);
  link.hurry();
  assert.deepEqual(kinds(outbox.take()), []);
});

test('the window of a controller that slept moves with it', () => {
  const { link } = connected(2000);
  link.lost(1, 'reset', 0);
  link.shift(10_000);
  assert.equal(link.windowOver(11_999), false);
  assert.equal(link.windowOver(12_000), true);
});

test('[LINK-11] on a slow link the first re-dial waits longer', () => {
  const dialAt = (latencyMs: number): number | undefined => {
    const { link } = connected();
    for (let i = 0; i < 9; i++) link.measured(latencyMs);
    link.lost(1, 'reset', 0);
    return link.wakeAt();
  };
  assert.equal(dialAt(5), 125);
  assert.equal(dialAt(2000), 1000);
});
