/** What keeps strangers from filling an agent's log, its memory and its places. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkOpen } from '../../../../src/shared/wire/check-open.js';
import type { Open } from '../../../../src/shared/wire/accept-session.js';
import { HandshakeRoom } from '../../../../src/shared/wire/handshake-room.js';
import { HelloDesk } from '../../../../src/shared/wire/hello-desk.js';
import { decodeHelloReply, encodeHelloRequest } from '../../../../src/shared/wire/hello-frames.js';
import type { HelloRequest, LockedReply } from '../../../../src/shared/wire/hello-frames.js';
import { Refusals } from '../../../../src/shared/wire/refusals.js';
import { Token } from '../../../../src/shared/wire/auth.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { helloReply } from '../../../support/wire-pair.js';

test('[LINK-07] a flood of refusals is a few lines every ten seconds, hides no other reason, and all are counted', () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const refusals = new Refusals(clock, (_level, line) => lines.push(line));
  for (let n = 0; n < 1000; n += 1) refusals.refused('token', `peer-${n}`, `peer-${n}: wrong`);
  refusals.refused('tls', 'scanner', 'scanner: no certificate');
  assert.deepEqual(lines, ['peer-0: wrong', 'peer-1: wrong', 'scanner: no certificate']);
  for (let n = 0; n < 20; n += 1) refusals.refused('handshake', 'noise', `noise: reason ${n}`);
  assert.equal(lines.length, 10);
  clock.advance(10_000);
  assert.equal(lines.at(-1), 'Refused 1011 more within 10s (token 998, handshake 13), last noise');
  assert.equal(lines.length, 11);
  assert.deepEqual(refusals.counts, { token: 1000, handshake: 20, tls: 1, run: 0 });
  clock.advance(60_000);
  assert.equal(lines.length, 11, 'quiet again');
  refusals.refused('token', 'peer', 'peer: wrong');
  refusals.close();
  assert.equal(lines.at(-1), 'peer: wrong');
  assert.equal(clock.armed, 0);
});

test('[LINK-07] of too many streams in the handshake the oldest has to go', () => {
  const room = new HandshakeRoom();
  const evicted: number[] = [];
  const enter = (n: number) =>
    room.enter(() => {
      evicted.push(n);
    });
  const leaves = Array.from({ length: 64 }, (_, n) => enter(n));
  assert.equal(evicted.length, 0);
  leaves[0]?.();
  enter(64);
  assert.equal(evicted.length, 0, 'one had left by itself');
  enter(65);
  enter(66);
  assert.deepEqual(evicted, [1, 2]);
});

const good: Open = {
  ...{ kind: 'open', protocol: 1, nonce: new Uint8Array(16), runId: 'run-1', secret: 's' },
  ...{ identity: 'root@ctl1', generation: 1, steal: false, held: [], received: 0n },
};

test('an Open that could not be logged or stored is refused with the name of its field', () => {
  assert.equal(checkOpen(good, true), undefined);
  const bad: readonly (readonly [Partial<Open>, RegExp])[] = [
    [{ protocol: 2 }, /speaks protocol 1, the controller 2/],
    [{ runId: '' }, /Open\.run_id/],
    [{ runId: '../../etc' }, /Open\.run_id/],
    [{ runId: 'x'.repeat(129) }, /Open\.run_id/],
    [{ secret: 'x'.repeat(257) }, /Open\.secret/],
    [{ identity: 'root@ctl1\n2026-11-21 forged line' }, /Open\.identity/],
    [{ identity: 'red \u001b[31m' }, /Open\.identity/],
    [{ fetch: '../other' }, /Open\.fetch/],
    [{ generation: 0 }, /Open\.generation/],
    [
      { held: Array.from({ length: 100_001 }, () => ({ stage: 0, first: 0, last: 0 })) },
      /Open\.held/,
    ],
    [{ nonce: new Uint8Array(15) }, /Open\.nonce: 15 bytes/],
  ];
  for (const [change, sentence] of bad) {
    assert.match(checkOpen({ ...good, ...change }, true) ?? '', sentence);
  }
  assert.equal(checkOpen({ ...good, nonce: new Uint8Array() }, false), undefined);
});

const token = new Token('the token of the desk, long enough');
const nonce = new Uint8Array(16).fill(3);

function deskOf(clock: ManualClock) {
  const lines: string[] = [];
  const refusals = new Refusals(clock, (_level, line) => lines.push(line));
  const desk = new HelloDesk({ clock, token, refusals, hello: () => helloReply });
  const ask = (request: Partial<HelloRequest>): LockedReply => {
    const reply = decodeHelloReply(desk.answer(encodeHelloRequest(request), 'peer'));
    assert.ok('locked' in reply, 'nothing but product and version is open');
    return reply;
  };
  return { desk, ask, lines };
}

test('[LINK-07] Hello tells a stranger product and version, and the rest to who knows the token', () => {
  const { ask, lines } = deskOf(new ManualClock());
  const { challenge, details, version } = ask({ nonce });
  assert.equal(version, helloReply.version);
  assert.equal(details.length, 0);
  assert.deepEqual(lines, [], 'that is how everybody begins');
  const proof = token.callerProof(challenge, nonce);
  const answer = ask({ nonce, challenge, proof });
  assert.deepEqual(decodeHelloReply(answer.details), helloReply);
  assert.deepEqual(Buffer.from(answer.mac), token.detailsMac(challenge, nonce, answer.details));
  assert.deepEqual(lines, []);
});

test('[LINK-07] Hello: no token, another token, a stale or invented challenge, and noise get no details', () => {
  const clock = new ManualClock();
  const { ask, desk, lines } = deskOf(clock);
  const { challenge } = ask({ nonce });
  const proof = token.callerProof(challenge, nonce);
  const other = new Token('another token, just as long as that').callerProof(challenge, nonce);
  const invented = new Uint8Array(32).fill(9);
  for (const [request, reason] of [
    [{}, 'it has no token'],
    [{ nonce, challenge, proof: other }, 'its token is another one'],
    [{ nonce, challenge, proof: proof.subarray(1) }, 'its token is another one'],
    [{ nonce: new Uint8Array(16), challenge, proof }, 'its token is another one'],
    [{ nonce: nonce.subarray(1), challenge, proof }, 'its nonce has the wrong size'],
    [
      { nonce, challenge: invented, proof: token.callerProof(invented, nonce) },
      'its challenge is not one of mine, or too old',
    ],
  ] as const) {
    assert.equal(ask(request).details.length, 0);
    assert.match(lines.at(-1) ?? '', new RegExp(`peer was told no more .*: ${reason}$`));
    clock.advance(10_001);
  }
  clock.advance(60_000);
  assert.equal(ask({ nonce, challenge, proof }).details.length, 0, 'too late');
  assert.match(lines.at(-1) ?? '', /too old$/);
  const noise = decodeHelloReply(desk.answer(Buffer.of(0xff, 0xff), 'noise'));
  assert.ok('locked' in noise);
  assert.match(lines.at(-1) ?? '', /it is not a HelloRequest$/);
});

test('[LINK-07] an agent without a token tells its log that a controller has one', () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const refusals = new Refusals(clock, (_level, line) => lines.push(line));
  const desk = new HelloDesk({ clock, refusals, hello: () => helloReply });
  assert.deepEqual(decodeHelloReply(desk.answer(encodeHelloRequest(), 'peer')), helloReply);
  assert.deepEqual(lines, []);
  desk.answer(encodeHelloRequest({ nonce }), 'peer');
  assert.match(lines.join('\n'), /peer has a token, this agent has none/);
});
