import { crc32 } from 'node:zlib';
import { readFrame, writeFrame } from './frame-bytes.js';
import { DecodeError } from './decode-error.js';

export type Encoding = 'PLAIN' | 'DEFLATE';

/** Which way a frame travels; part of the checksum, so that a reflected frame is refused. */
export type Direction = 'toAgent' | 'toController';

export interface Frame {
  readonly sequence: bigint;
  /** 0n: not reliable. */
  readonly reliable: bigint;
  readonly ack: bigint;
  readonly seen: bigint;
  readonly heard: bigint;
  readonly encoding: Encoding;
  /** As sent: encoded as `encoding` says. Empty: the frame only acknowledges. */
  readonly payload: Uint8Array;
}

/** Signs and verifies what the checksum covers; absent when no token is in use. */
export interface FrameSigner {
  sign(covered: readonly Uint8Array[]): Uint8Array;
  /** Constant-time. */
  verify(covered: readonly Uint8Array[], mac: Uint8Array): boolean;
}

/** The frame was not made with the token, or was altered by somebody who does not have it. */
export class AuthenticationError extends DecodeError {}

/** What both ends know without it being in the frame. */
export interface FrameContext {
  readonly direction: Direction;
  /** Run id; empty in frames of the handshake, whose reader cannot know it yet. */
  readonly session: string;
  readonly signer?: FrameSigner | undefined;
}

const encodingNumber: Readonly<Record<Encoding, number>> = { PLAIN: 0, DEFLATE: 1 };
const encodings: readonly Encoding[] = ['PLAIN', 'DEFLATE'];
const unsigned = new Uint8Array();
const directionNumber: Readonly<Record<Direction, number>> = { toAgent: 1, toController: 2 };

/**
 * The bytes that checksum and mac cover before the payload: sequence, reliable, ack, seen, heard (8 bytes each,
 * little-endian), encoding and direction (one byte each), length of the session id (2 bytes, little-endian) and the
 * session id in UTF-8.
 */
export function canonicalHeader(frame: Frame, { direction, session }: FrameContext): Buffer {
  const nameLength = Buffer.byteLength(session, 'utf8');
  const header = Buffer.allocUnsafe(44 + nameLength);
  const view = new DataView(header.buffer, header.byteOffset);
  view.setBigUint64(0, frame.sequence, true);
  view.setBigUint64(8, frame.reliable, true);
  view.setBigUint64(16, frame.ack, true);
  view.setBigUint64(24, frame.seen, true);
  view.setBigUint64(32, frame.heard, true);
  view.setUint8(40, encodingNumber[frame.encoding]);
  view.setUint8(41, directionNumber[direction]);
  view.setUint16(42, nameLength, true);
  header.write(session, 44, 'utf8');
  return header;
}

export function checksum(header: Uint8Array, payload: Uint8Array): number {
  const start = crc32(header);
  // zlib starts afresh (0) when it is handed no memory at all, which an empty array can be.
  return payload.length === 0 ? start : crc32(payload, start);
}

export function encodeFrame(frame: Frame, context: FrameContext): Buffer {
  const header = canonicalHeader(frame, context);
  const { sequence, reliable, ack, seen, heard, payload } = frame;
  return writeFrame({
    sequence,
    reliable,
    ack,
    crc: checksum(header, payload),
    mac: context.signer?.sign([header, payload]) ?? unsigned,
    encoding: encodingNumber[frame.encoding],
    payload,
    seen,
    heard,
  });
}

/**
 * Checks everything that can be checked before the payload is looked at: random bytes are a "valid" protobuf message
 * about six times in a hundred.
 * @throws DecodeError
 */
export function decodeFrame(bytes: Uint8Array, context: FrameContext): Frame {
  const raw = readFrame(bytes);
  const { sequence, reliable, ack, seen, heard, payload } = raw;
  const encoding = encodings[raw.encoding];
  if (encoding === undefined) throw new DecodeError(`encoding: ${raw.encoding} is not known`);
  const frame: Frame = { sequence, reliable, ack, seen, heard, encoding, payload };
  const header = canonicalHeader(frame, context);
  if (checksum(header, payload) !== raw.crc) throw new DecodeError('checksum mismatch');
  if (context.signer && !context.signer.verify([header, payload], raw.mac)) {
    throw new AuthenticationError('message authentication failed');
  }
  if (sequence === 0n) throw new DecodeError('sequence 0: frames are counted from 1');
  return frame;
}
