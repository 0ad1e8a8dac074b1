import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  readFrame,
  writeFrame,
  type FrameFields,
} from '../../../../src/shared/wire/frame-bytes.js';
import { DecodeError } from '../../../../src/shared/wire/decode-error.js';
import { uint64 } from '../../../support/arbitrary-messages.js';
import {
  comparable,
  readByProtobufjs,
  writtenByProtobufjs,
} from '../../../support/proto-oracle.js';

const numbers = fc.oneof(fc.constant(0n), uint64);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ minLength: 100, maxLength: 300 }),
);
const frames: fc.Arbitrary<FrameFields> = fc.record(
  {
    sequence: numbers,
    reliable: numbers,
    ack: numbers,
    crc: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
    mac: bytes,
    encoding: fc.constantFrom(0, 1),
    payload: bytes,
    seen: numbers,
    heard: numbers,
  },
  { noNullPrototype: true },
);

const encodings = ['PLAIN', 'DEFLATE'];

function asProto(fields: FrameFields) {
  return { ...fields, encoding: encodings[fields.encoding] };
}

/** As proto3 does, a field at its default is not written. */
function written(fields: FrameFields): Buffer {
  const told = Object.entries(asProto(fields)).filter(([, value]) => {
    if (value instanceof Uint8Array) return value.length > 0;
    return value !== 0n && value !== 0 && value !== 'PLAIN';
  });
  const asText = told.map(([name, value]) => [
    name,
    typeof value === 'bigint' ? String(value) : value,
  ]);
  return writtenByProtobufjs('Frame', Object.fromEntries(asText) as object);
}

function readOr<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    assert.ok(thrown instanceof DecodeError, String(thrown));
    return undefined;
  }
}

test('[LINK-05] frames are written byte by byte as agent.proto says', () => {
  fc.assert(
    fc.property(frames, (fields) => {
      assert.deepEqual(writeFrame(fields), written(fields));
    }),
    { numRuns: 1000 },
  );
});

test('[LINK-05] frames are read as agent.proto says, whatever the order of their fields', () => {
  fc.assert(
    fc.property(frames, frames, (fields, other) => {
      assert.deepEqual(readFrame(written(fields)), fields);
      // Two messages after each other are one in which the later fields count.
      const both = Buffer.concat([written(fields), written(other)]);
      assert.deepEqual(comparable(asProto(readFrame(both))), readByProtobufjs('Frame', both));
    }),
    { numRuns: 1000 },
  );
});

test('[RUN-08] a damaged frame is refused, or read as one that can be written, and nothing else is thrown', () => {
  const damage = fc.record({
    cut: fc.nat(300),
    changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
    tail: fc.uint8Array({ maxLength: 12 }),
  });
  let readable = 0;
  fc.assert(
    fc.property(frames, damage, (fields, { cut, changes, tail }) => {
      const whole = Buffer.concat([written(fields), tail]);
      const bytes = Uint8Array.from(whole.subarray(0, Math.max(0, whole.length - (cut % 7))));
      for (const [at, value] of changes) bytes[at % Math.max(1, bytes.length)] = value;
      const read = readOr(() => readFrame(bytes));
      if (!read) return;
      readable += 1;
      assert.deepEqual(readFrame(writeFrame(read)), read);
    }),
    { numRuns: 3000 },
  );
  assert.ok(readable > 100, `only ${String(readable)} were readable at all`);
});

test('fields of a newer version are skipped', () => {
  const known = { sequence: 7n, reliable: 0n, ack: 3n, crc: 5, encoding: 1, seen: 0n, heard: 0n };
  const fields = { ...known, mac: new Uint8Array(), payload: Uint8Array.of(1, 2) };
  const newer = [
    Uint8Array.of(0x50, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
    Uint8Array.of(0x59, 1, 2, 3, 4, 5, 6, 7, 8),
    Uint8Array.of(0x62, 2, 9, 9),
    Uint8Array.of(0x6d, 1, 2, 3, 4),
  ];
  assert.deepEqual(readFrame(Buffer.concat([...newer, writeFrame(fields), ...newer])), fields);
});
