import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protocolVersion } from '../../../../src/shared/model/messages.js';
import { Token } from '../../../../src/shared/wire/auth.js';
import { HelloDesk } from '../../../../src/shared/wire/hello-desk.js';
import {
  decodeHelloReply,
  encodeHelloRequest,
  type HelloRequest,
  type LockedReply,
} from '../../../../src/shared/wire/hello-frames.js';
import { Refusals } from '../../../../src/shared/wire/refusals.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { helloReply } from '../../../support/wire-pair.js';

const token = new Token('the token of these tests, long enough');
const nonce = new Uint8Array(16).fill(7);

function deskOf(clock: ManualClock) {
  const lines: string[] = [];
  const refusals = new Refusals(clock, (_, line) => lines.push(line));
  const desk = new HelloDesk({ clock, token, refusals, hello: () => helloReply });
  const ask = (request: Partial<HelloRequest>): LockedReply & { tokenRequired?: boolean } => {
    const answer = decodeHelloReply(desk.answer(encodeHelloRequest(request), 'peer'));
    assert.ok('locked' in answer);
    return answer;
  };
  const proven = (challenge: Uint8Array): LockedReply =>
    ask({ nonce, challenge, proof: token.callerProof(challenge, nonce) });
  return { ask, proven, lines };
}

test('[LINK-07] who begins with a nonce is told version and challenge, that a token is wanted, and nothing more; it is no refusal', () => {
  const { ask, lines } = deskOf(new ManualClock());
  const { version, protocol, challenge, details, mac, tokenRequired } = ask({ nonce });
  assert.equal(version, helloReply.version);
  assert.equal(protocol, protocolVersion);
  assert.equal(tokenRequired, true);
  assert.equal(challenge.length, 32);
  assert.equal(details.length + mac.length, 0);
  assert.deepEqual(lines, []);
});

test('[LINK-07] a challenge is good for a minute, and only one of this agent', () => {
  const clock = new ManualClock(5_000);
  const { ask, proven, lines } = deskOf(clock);
  const { challenge } = ask({ nonce });
  clock.advance(59_000);
  assert.ok(proven(challenge).details.length > 0);
  assert.ok(proven(challenge).details.length > 0, 'none is remembered: it may come again');
  clock.advance(1_001);
  const late = proven(challenge);
  assert.equal(late.details.length, 0);
  assert.notDeepEqual(late.challenge, challenge, 'a new one is given');
  assert.match(lines.at(-1) ?? '', /its challenge is not one of mine, or too old$/);
  assert.equal(proven(deskOf(clock).ask({ nonce }).challenge).details.length, 0, 'of another one');
});

test('[LINK-07] a challenge of another size is nobody’s, however it is proven', () => {
  const { ask, proven, lines } = deskOf(new ManualClock());
  const { challenge } = ask({ nonce });
  for (const bad of [challenge.subarray(0, 31), Buffer.concat([challenge, challenge])]) {
    assert.equal(proven(bad).details.length, 0);
  }
  assert.equal(lines.length, 2);
  const short = nonce.subarray(0, 15);
  const proof = token.callerProof(challenge, short);
  assert.equal(ask({ nonce: short, challenge, proof }).details.length, 0);
  assert.match(lines.at(-1) ?? '', /its nonce has the wrong size$/);
});
