import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { DecodeError } from '../../../../src/shared/wire/decode-error.js';
import { checksum, decodeFrame, encodeFrame } from '../../../../src/shared/wire/frame.js';
import type { Frame, FrameContext } from '../../../../src/shared/wire/frame.js';
import { uint64 } from '../../../support/arbitrary-messages.js';

const context: FrameContext = { direction: 'toAgent', session: '7f3a' };

const frames: fc.Arbitrary<Frame> = fc.record(
  {
    sequence: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
    reliable: uint64,
    ack: uint64,
    seen: uint64,
    heard: uint64,
    encoding: fc.constantFrom('PLAIN', 'DEFLATE'),
    payload: fc.uint8Array({ maxLength: 100 }),
  },
  { noNullPrototype: true },
);

/** The frame, or undefined when it was refused with a DecodeError. */
function read(bytes: Uint8Array, as: FrameContext = context): Frame | undefined {
  try {
    return decodeFrame(bytes, as);
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error));
    return undefined;
  }
}

test('[RUN-14] a frame is the same after encoding and decoding, over the whole 64-bit range', () => {
  fc.assert(
    fc.property(frames, (frame) => {
      assert.deepEqual(read(encodeFrame(frame, context)), frame);
    }),
  );
});

test('[RUN-08] a frame whose bytes were changed is refused or means exactly the same', () => {
  const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(frames, fc.array(change, { minLength: 1, maxLength: 4 }), (frame, changes) => {
      const bytes = Uint8Array.from(encodeFrame(frame, context));
      for (const [at, flip] of changes) {
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ flip;
      }
      const result = read(bytes);
      if (result) assert.deepEqual(result, frame);
    }),
    { numRuns: 3000 },
  );
});

test('[RUN-08] random bytes are never taken for a frame', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(read(bytes), undefined);
    }),
    { numRuns: 3000 },
  );
});

test('a truncated frame is refused', () => {
  const frame: Frame = {
    sequence: 9n,
    reliable: 3n,
    ack: 1n,
    seen: 2n,
    heard: 2n,
    encoding: 'PLAIN',
    payload: Buffer.from('hello'),
  };
  const bytes = encodeFrame(frame, context);
  for (let length = 0; length < bytes.length; length += 1) {
    assert.equal(read(bytes.subarray(0, length)), undefined, `${length} bytes`);
  }
});

test('a frame of another session, or one sent back to where it came from, is refused', () => {
  fc.assert(
    fc.property(frames, (frame) => {
      const bytes = encodeFrame(frame, context);
      assert.equal(read(bytes, { ...context, session: '7f3b' }), undefined);
      assert.equal(read(bytes, { ...context, direction: 'toController' }), undefined);
    }),
  );
});

test('the checksum of an empty payload is that of the header, whatever memory the empty array has', () => {
  const header = Buffer.from('header');
  const empties = [new Uint8Array(), new Uint8Array(new ArrayBuffer(0)), Buffer.alloc(0)];
  for (const empty of [...empties, structuredClone(new Uint8Array())]) {
    assert.equal(checksum(header, empty), crc32(header));
  }
});
