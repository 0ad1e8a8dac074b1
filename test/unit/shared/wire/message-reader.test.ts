import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePayload, encodePayload } from '../../../../src/shared/wire/codec.js';
import { DecodeError } from '../../../../src/shared/wire/decode-error.js';
import { schemaOf } from '../../../../src/shared/wire/schema.js';
import { anInterval, anyMessage } from '../../../support/arbitrary-messages.js';
import { comparable, readByProtobufjs } from '../../../support/proto-oracle.js';

const anyPayload = fc.oneof(
  anyMessage,
  fc
    .array(anInterval, { maxLength: 4 })
    .map((intervals) => ({ kind: 'intervals', intervals }) as const),
);

/** As the message with its one field, which is what agent.proto has. */
function read(bytes: Uint8Array): unknown {
  const { kind, ...fields } = decodePayload(bytes);
  return comparable({ kind, [kind]: fields });
}

test('[LINK-05] messages are read as protobufjs reads them', () => {
  fc.assert(
    fc.property(anyPayload, (message) => {
      const bytes = encodePayload(message);
      assert.deepEqual(read(bytes), readByProtobufjs('Payload', bytes));
    }),
    { numRuns: 1000 },
  );
});

test('[LINK-05] of two payloads after each other the later one counts', () => {
  fc.assert(
    fc.property(anyPayload, anyPayload, (one, other) => {
      const bytes = Buffer.concat([encodePayload(one), encodePayload(other)]);
      assert.deepEqual(decodePayload(bytes), other);
    }),
  );
});

test('fields that come again replace the ones before, those of lists are added', () => {
  const { reader } = schemaOf('Cleaned');
  const bytes = Uint8Array.of(0x08, 5, 0x12, 1, 0x61, 0x08, 6, 0x12, 1, 0x62);
  assert.deepEqual(reader.read(bytes), { files: 6, warnings: ['a', 'b'] });
  assert.deepEqual(comparable(reader.read(bytes)), readByProtobufjs('Cleaned', bytes));
});

test('fields of a newer version are skipped, and so are known ones of another type', () => {
  const { reader } = schemaOf('Ready');
  const stage = [0x08, 3];
  const newer = [
    [0x50, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    [0x59, 1, 2, 3, 4, 5, 6, 7, 8],
    [0x62, 2, 9, 9],
    [0x6d, 1, 2, 3, 4],
    // `stage` as bytes
    [0x0a, 1, 7],
  ];
  for (const field of newer) {
    assert.deepEqual(reader.read(Uint8Array.from([...stage, ...field])), { stage: 3 });
    assert.deepEqual(reader.read(Uint8Array.from([...field, ...stage])), { stage: 3 });
  }
});

test('[RUN-08] a message within a message never reads beyond its end', () => {
  const whole = encodePayload({ kind: 'log', level: 'info', line: 'abc' });
  // The outer length covers all but the last byte; the line's own length does not.
  const cut = Uint8Array.from(whole);
  cut[2] = (cut[2] ?? 0) - 1;
  assert.throws(() => decodePayload(cut), {
    name: DecodeError.name,
    message: /^not a Payload message: cut short$/,
  });
  for (let length = 1; length < whole.length; length += 1) {
    assert.throws(() => decodePayload(whole.subarray(0, length)), DecodeError);
  }
});

test('numbers longer than ten bytes, ends of groups that never began, and field number 0 are refused', () => {
  const { reader } = schemaOf('Cleaned');
  const endless = new Uint8Array(20).fill(0xff);
  endless[0] = 0x08;
  assert.throws(() => reader.read(endless), /a number without an end/);
  assert.throws(() => reader.read(Uint8Array.of(0x0c)), /wire type 4/);
  assert.throws(() => reader.read(Uint8Array.of(0x0b)), /cut short/);
  assert.throws(() => reader.read(Uint8Array.of(0x02, 0)), /field number 0/);
});
