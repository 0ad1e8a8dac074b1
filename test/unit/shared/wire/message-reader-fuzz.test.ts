import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePayload, encodePayload } from '../../../../src/shared/wire/codec.js';
import { DecodeError } from '../../../../src/shared/wire/decode-error.js';
import { schemaOf } from '../../../../src/shared/wire/schema.js';
import { wireTypes } from '../../../../src/shared/wire/wire-reader.js';
import { anyMessage } from '../../../support/arbitrary-messages.js';
import { comparable, readByProtobufjs } from '../../../support/proto-oracle.js';

type Bytes = readonly number[];

const { varint, fixed64, bytes, fixed32 } = wireTypes;
const groupBegins = 3;
const groupEnds = 4;

/** Seven bits a byte, the lowest first; `longest`: in ten bytes, as some encoders write a negative number. */
function varintOf(value: bigint, longest = false): Bytes {
  const written: number[] = [];
  for (let rest = value; longest ? written.length < 9 : rest > 0x7fn; rest >>= 7n) {
    written.push(Number(rest & 0x7fn) | 0x80);
  }
  return [...written, longest ? Number((value >> 63n) & 1n) : lastOf(value, written.length)];
}

const lastOf = (value: bigint, count: number): number =>
  Number((value >> BigInt(7 * count)) & 0x7fn);
const tag = (field: number, wireType: number): Bytes => varintOf(BigInt((field << 3) | wireType));
const sized = (content: Bytes): Bytes => [...varintOf(BigInt(content.length)), ...content];

const below = (bits: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: 2n ** bits - 1n });
const some = (least: number, most: number): fc.Arbitrary<Bytes> =>
  fc.array(fc.nat(255), { minLength: least, maxLength: most });
const known = (field: number, wireType: number, value: fc.Arbitrary<Bytes>): fc.Arbitrary<Bytes> =>
  value.map((written) => [...tag(field, wireType), ...written]);

const asVarint = (bits: bigint): fc.Arbitrary<Bytes> =>
  fc.tuple(below(bits), fc.boolean()).map(([value, longest]) => varintOf(value, longest));

/** No numbers of any message here, up to the largest there can be. */
const newerField = fc.oneof(fc.integer({ min: 100, max: 200 }), fc.constant(2 ** 28 - 1));
const plainNewer: fc.Arbitrary<Bytes> = newerField.chain((field) =>
  fc.oneof(
    known(field, varint, asVarint(64n)),
    known(field, fixed64, some(8, 8)),
    known(field, bytes, some(0, 20).map(sized)),
    known(field, fixed32, some(4, 4)),
  ),
);
const newer: fc.Arbitrary<Bytes> = fc.oneof(
  plainNewer,
  fc
    .tuple(newerField, fc.array(plainNewer, { maxLength: 3 }), fc.nat(3))
    .map(([field, within, depth]) => {
      let group: Bytes = within.flat();
      for (let i = 0; i <= depth; i++) {
        group = [...tag(field, groupBegins), ...group, ...tag(field, groupEnds)];
      }
      return group;
    }),
);

const messageOf = (...fields: readonly fc.Arbitrary<Bytes>[]): fc.Arbitrary<Bytes> =>
  fc.array(fc.oneof(...fields, newer), { maxLength: 12 }).map((written) => written.flat());

/** Any bytes: most of them are not UTF-8. */
const text = some(0, 12).map(sized);
const histogram = some(0, 12).map(sized);
const count = asVarint(53n);
const operation = fc.nat(9).map((value) => varintOf(BigInt(value)));
const errorCount = messageOf(known(1, bytes, text), known(2, varint, count));
const stats = messageOf(
  known(1, bytes, text),
  known(2, varint, count),
  known(4, bytes, errorCount.map(sized)),
  known(7, bytes, histogram),
);

/** Fields of all types that agent.proto has, in any order, as often as they like. */
const messages: Readonly<Record<string, fc.Arbitrary<Bytes>>> = {
  StageResult: messageOf(
    known(1, varint, asVarint(32n)),
    known(2, bytes, text),
    known(3, fixed64, some(8, 8)),
    known(6, varint, asVarint(32n)),
    known(8, bytes, stats.map(sized)),
    known(10, bytes, text),
  ),
  HelloReply: messageOf(
    known(2, varint, asVarint(32n)),
    known(6, bytes, text),
    known(7, varint, operation),
    known(8, bytes, messageOf(known(1, bytes, text), known(3, varint, count)).map(sized)),
    known(10, varint, fc.constantFrom<Bytes>([0], [1], [7])),
    known(12, bytes, some(0, 20).map(sized)),
  ),
  Interval: messageOf(
    known(1, varint, asVarint(32n)),
    known(4, bytes, stats.map(sized)),
    known(8, fixed64, some(8, 8)),
  ),
};

/** As the reader does with text, and with an enum's zero that only says "not set". */
function printable(value: unknown): unknown {
  if (value === 'UNKNOWN') return '0';
  if (typeof value === 'string')
    return value.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
  if (Array.isArray(value)) return value.map(printable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, printable(one)]));
}

for (const [name, message] of Object.entries(messages)) {
  const { reader } = schemaOf(name);
  const ours = (read: Uint8Array): unknown => comparable(reader.readLeniently(read));
  const theirs = (read: Uint8Array): unknown => printable(readByProtobufjs(name, read));

  test(`[LINK-05] ${name}: any fields in any order, longer numbers, bad UTF-8 and fields of a newer version are read as protobufjs does`, () => {
    fc.assert(
      fc.property(message, (written) => {
        const read = Uint8Array.from(written);
        assert.deepEqual(ours(read), theirs(read));
      }),
      { numRuns: 1000 },
    );
  });

  test(`[LINK-05] ${name}: what is cut short is read as protobufjs does or refused, which forgives a cut string`, () => {
    fc.assert(
      fc.property(message, fc.double({ min: 0, max: 1, noNaN: true }), (written, part) => {
        const read = Uint8Array.from(written.slice(0, Math.floor(part * written.length)));
        let value: unknown;
        try {
          value = ours(read);
        } catch (thrown) {
          assert.ok(thrown instanceof DecodeError, String(thrown));
          return;
        }
        assert.deepEqual(value, theirs(read));
      }),
    );
  });
}

test('[RUN-08] whatever the bytes are, the reader ends, with a message or a DecodeError', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.tuple(anyMessage, fc.nat(), fc.nat(255)).map(([message, at, value]) => {
      const changed = Uint8Array.from(encodePayload(message));
      changed[at % changed.length] = value;
      return changed;
    }),
  );
  fc.assert(
    fc.property(anything, (read) => {
      try {
        decodePayload(read);
      } catch (thrown) {
        assert.ok(thrown instanceof DecodeError, String(thrown));
      }
    }),
    { numRuns: 5000 },
  );
});
