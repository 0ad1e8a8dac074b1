import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { encodeBeside, encodePayload } from '../../../../src/shared/wire/codec.js';
import { canonicalHeader, decodeFrame, encodeFrame } from '../../../../src/shared/wire/frame.js';
import type { Direction, Frame } from '../../../../src/shared/wire/frame.js';
import { handshakeFrame } from '../../../../src/shared/wire/handshake-frames.js';
import { unpack } from '../../../../src/shared/wire/compression.js';
import { aHeartbeat, anIntervalOf } from '../../../support/sample-messages.js';

const page = readFileSync(new URL('../../../../../docs/protocol.md', import.meta.url), 'utf8');
const session = '7f3a';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function sessionFrame(fields: Partial<Frame>, direction: Direction): Buffer {
  const none = { reliable: 0n, ack: 0n, seen: 0n, heard: 0n, payload: new Uint8Array() };
  const frame: Frame = { sequence: 1n, encoding: 'PLAIN', ...none, ...fields };
  return encodeFrame(frame, { direction, session });
}

const nonce = Uint8Array.from({ length: 16 }, (_, index) => index);
const nothing = new Uint8Array();

const open = {
  ...({ kind: 'open', protocol: 1, nonce, runId: session, secret: 's3cret' } as const),
  ...{ identity: 'root@ctl1', generation: 1, steal: false, held: [], received: 0n },
};

const vectors: Readonly<Record<string, string>> = {
  'Open, sequence 1': hex(handshakeFrame(open, 1n, 'toAgent')),
  'Open of a controller that takes eight intervals in a frame, and a heartbeat beside them': hex(
    handshakeFrame({ ...open, intervalsPerFrame: 8, takesBeside: true }, 1n, 'toAgent'),
  ),
  'Welcome, sequence 1': hex(
    handshakeFrame(
      {
        ...{ kind: 'welcome', nonce: nothing, proof: nothing, instanceId: 'i1', bootId: 'b1' },
        ...{ version: '0.1.0', state: 'IDLE', resumed: false, received: 0n, host: '{}' },
      },
      1n,
      'toController',
    ),
  ),
  'Confirm, sequence 2': hex(handshakeFrame({ kind: 'confirm', proof: nothing }, 2n, 'toAgent')),
  'canonical header of the next one': hex(
    canonicalHeader(
      {
        ...{ sequence: 3n, reliable: 1n, ack: 0n, seen: 1n, heard: 0n },
        ...{ encoding: 'PLAIN', payload: nothing },
      },
      { direction: 'toAgent', session },
    ),
  ),
  'Go of stage 0, epoch 1: sequence 3, reliable 1, seen 1': hex(
    sessionFrame(
      {
        ...{ sequence: 3n, reliable: 1n, seen: 1n },
        payload: encodePayload({ kind: 'go', stage: 0, epoch: 1 }),
      },
      'toAgent',
    ),
  ),
  'Ready of stage 2: sequence 2, reliable 1, ack 1, seen 3': hex(
    sessionFrame(
      {
        ...{ sequence: 2n, reliable: 1n, ack: 1n, seen: 3n },
        payload: encodePayload({ kind: 'ready', stage: 2 }),
      },
      'toController',
    ),
  ),
  'Nak from 2: sequence 4, ack 1, seen 3': hex(
    sessionFrame(
      { sequence: 4n, ack: 1n, seen: 3n, payload: encodePayload({ kind: 'nak', from: 2n }) },
      'toAgent',
    ),
  ),
  'Intervals 0 and 1 of stage 2: sequence 6, ack 1, seen 3': hex(
    sessionFrame(
      {
        ...{ sequence: 6n, ack: 1n, seen: 3n },
        payload: encodePayload({
          kind: 'intervals',
          intervals: [0, 1].map((first) => anIntervalOf({ stage: 2, first, inFlight: 4 })),
        }),
      },
      'toController',
    ),
  ),
  'Interval 0 of stage 2 and a heartbeat beside it: sequence 7, ack 1, seen 3': hex(
    sessionFrame(
      {
        ...{ sequence: 7n, ack: 1n, seen: 3n },
        payload: Buffer.concat([
          encodePayload({ kind: 'interval', ...anIntervalOf({ stage: 2, first: 0, inFlight: 4 }) }),
          encodeBeside({ ...aHeartbeat, state: 'RUNNING', inFlight: 4 }),
        ]),
      },
      'toController',
    ),
  ),
  'an acknowledgement alone: sequence 5, ack 2^63, seen 2^64-1, heard 4': hex(
    sessionFrame({ sequence: 5n, ack: 2n ** 63n, seen: 2n ** 64n - 1n, heard: 4n }, 'toController'),
  ),
};

test('the test vectors in docs/protocol.md are what this code writes', () => {
  const block = Object.entries(vectors)
    .map(([name, bytes]) => `${name}\n${bytes.replaceAll(/(.{96})/g, '$1\n').trim()}`)
    .join('\n\n');
  assert.ok(page.includes(block), `docs/protocol.md should have these test vectors:\n\n${block}\n`);
});

test('the compressed frame in docs/protocol.md is read as the page says', () => {
  const [, text = ''] = /decode only\)\n([0-9a-f\n]+)\n```/.exec(page) ?? [];
  const bytes = Buffer.from(text.replaceAll('\n', ''), 'hex');
  const frame = decodeFrame(bytes, { direction: 'toController', session });
  assert.equal(frame.encoding, 'DEFLATE');
  const expected = encodePayload({ kind: 'log', level: 'info', line: 'a'.repeat(2000) });
  assert.deepEqual(Buffer.from(unpack(frame)), expected);
});

test('every field of a frame is in docs/protocol.md', () => {
  for (const field of ['sequence', 'reliable', 'ack', 'seen', 'heard', 'crc', 'mac', 'encoding']) {
    assert.ok(page.includes(`\`${field}\``), field);
  }
});
