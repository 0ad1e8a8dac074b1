import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { decodePayload, encodePayload } from '../../../../src/shared/wire/codec.js';
import { DecodeError } from '../../../../src/shared/wire/decode-error.js';
import { anIntervalOf, statsOf } from '../../../support/sample-messages.js';
import { anInterval, anyMessage, uint64 } from '../../../support/arbitrary-messages.js';

test('every message is the same after encoding and decoding', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      assert.deepEqual(decodePayload(encodePayload(message)), message);
    }),
  );
});

test('several intervals in one payload are the same after encoding and decoding', () => {
  fc.assert(
    fc.property(fc.array(anInterval, { maxLength: 8 }), (intervals) => {
      const batch = { kind: 'intervals', intervals } as const;
      assert.deepEqual(decodePayload(encodePayload(batch)), batch);
    }),
  );
});

test('[RUN-14] 64-bit values are exact over their whole range', () => {
  for (const from of [0n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    assert.deepEqual(decodePayload(encodePayload({ kind: 'nak', from })), { kind: 'nak', from });
  }
  fc.assert(
    fc.property(uint64, (from) => {
      assert.deepEqual(decodePayload(encodePayload({ kind: 'nak', from })), { kind: 'nak', from });
    }),
  );
});

test('a number that does not fit its field is refused when encoding, not silently changed', () => {
  const wrong = [-1, 1.5, Number.NaN, 2 ** 32];
  for (const id of wrong) {
    assert.throws(() => encodePayload({ kind: 'ping', id }), /id: .* is not a whole number/);
  }
  assert.throws(() => encodePayload({ kind: 'nak', from: 2n ** 64n }), /unsigned 64-bit/);
  assert.throws(() => encodePayload({ kind: 'nak', from: -1n }), /unsigned 64-bit/);
});

test('a count beyond 2^53 is refused when decoding, because it would not be exact', () => {
  // cleaned { files: 2^53 }: field 43, length-delimited, with field 1 as a varint.
  const varint = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
  const bytes = Uint8Array.from([0xda, 0x02, varint.length + 1, 0x08, ...varint]);
  assert.throws(() => decodePayload(bytes), { message: 'files: 9007199254740992 is beyond 2^53' });
});

test('an unknown kind is told by its field number', () => {
  // field 2000, a varint
  assert.deepEqual(decodePayload(Uint8Array.from([0x80, 0x7d, 0x01])), {
    kind: 'unknown',
    field: 2000,
  });
});

test('a state that is not set or not known is a decode error, never a state', () => {
  const unset = encodePayload({ kind: 'state', state: 'IDLE', reason: 'x' });
  const index = unset.indexOf(Uint8Array.from([0x08, 0x01]));
  for (const value of [0, 77]) {
    const changed = Uint8Array.from(unset);
    changed[index + 1] = value;
    assert.throws(() => decodePayload(changed), /state: .* is not a value of AgentState/);
  }
});

test('a word outside its closed set is a decode error naming the field', () => {
  const bytes = encodePayload({ kind: 'log', level: 'error', line: 'x' });
  const changed = Buffer.from(bytes.toString('latin1').replace('error', 'panic'), 'latin1');
  assert.throws(() => decodePayload(changed), { message: /level: "panic" is not one of debug/ });
});

test('an operation that does not exist is refused among several intervals, too', () => {
  const intervals = [anIntervalOf({ first: 0, operations: [statsOf()] })];
  const bytes = encodePayload({ kind: 'intervals', intervals });
  const changed = Buffer.from(bytes.toString('latin1').replace('read', 'reap'), 'latin1');
  assert.throws(() => decodePayload(changed), { message: /operation: "reap" is not one of read/ });
});

test('random bytes give a message, an unknown kind or a DecodeError, nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodePayload(bytes);
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('text from the network cannot give orders to a terminal', () => {
  const line = 'a\u001b]0;title\u0007 b\u009b2J c\rd \u0000\nnext\tcolumn é';
  const read = decodePayload(encodePayload({ kind: 'log', level: 'info', line }));
  assert.ok(read.kind === 'log');
  assert.equal(read.line, 'a�]0;title� b�2J c�d �\nnext\tcolumn é');
});
