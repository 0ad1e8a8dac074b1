import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Token } from '../../../../src/shared/wire/auth.js';
import { encodePayload } from '../../../../src/shared/wire/codec.js';
import { encodeFrame } from '../../../../src/shared/wire/frame.js';
import { handshakeFrame } from '../../../../src/shared/wire/handshake-frames.js';

const page = readFileSync(new URL('../../../../../docs/protocol.md', import.meta.url), 'utf8');

const ascending = (from: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => from + index);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const secret = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const token = new Token(secret);
const nonces = { controller: ascending(0, 16), agent: ascending(0x40, 16) };
const challenge = ascending(0x80, 32);
const details = Buffer.from('0a066d7573746572', 'hex');

const open = handshakeFrame(
  {
    ...{ kind: 'open', protocol: 1, nonce: nonces.controller, runId: '7f3a', secret: 's3cret' },
    ...{ identity: 'root@ctl1', generation: 1, steal: false, held: [], received: 0n },
  },
  1n,
  'toAgent',
  token.handshakeSigner(),
);
const go = encodeFrame(
  {
    ...{ sequence: 3n, reliable: 1n, ack: 0n, seen: 1n, heard: 0n, encoding: 'PLAIN' },
    payload: encodePayload({ kind: 'go', stage: 0, epoch: 1 }),
  },
  { direction: 'toAgent', session: '7f3a', signer: token.streamSigner(nonces) },
);

const vectors: Readonly<Record<string, string>> = {
  'token (64 characters)': secret,
  'Open.nonce, also the nonce of Hello': hex(nonces.controller),
  'Welcome.nonce': hex(nonces.agent),
  'challenge of Hello': hex(challenge),
  'HelloRequest.proof': hex(token.callerProof(challenge, nonces.controller)),
  'details of Hello (shortened)': hex(details),
  'HelloReply.mac': hex(token.detailsMac(challenge, nonces.controller, details)),
  'Welcome.proof': hex(token.proof('agent', nonces)),
  'Confirm.proof': hex(token.proof('controller', nonces)),
  'Open with its mac, sequence 1': hex(open),
  'Go of stage 0, epoch 1, with its mac: sequence 3, reliable 1, seen 1': hex(go),
};

test('[LINK-07] the test vectors of the token in docs/protocol.md are what this code makes', () => {
  const block = Object.entries(vectors)
    .map(([name, bytes]) => `${name}\n${bytes.replaceAll(/(.{96})/g, '$1\n').trim()}`)
    .join('\n\n');
  assert.ok(page.includes(block), `docs/protocol.md should have these test vectors:\n\n${block}\n`);
});
