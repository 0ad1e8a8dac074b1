import type { Message } from '../model/messages.js';
import { DecodeError, decodePayload, encodePayload } from './codec.js';
import { pack, unpack } from './compression.js';
import { decodeFrame, encodeFrame } from './frame.js';
import type { Direction } from './frame.js';

/**
 * Frames of the handshake belong to no session yet: the session id under their checksum is empty, they acknowledge
 * nothing, and `sequence` is their place on the stream (Open 1, Confirm 2; Welcome or Refused 1).
 */
export function handshakeFrame(message: Message, sequence: bigint, direction: Direction): Buffer {
  const packed = pack(encodePayload(message));
  const frame = { sequence, reliable: 0n, ack: 0n, seen: 0n, heard: 0n, ...packed };
  return encodeFrame(frame, { direction, session: '' });
}

/** @throws DecodeError when it is not the message of one of `kinds` at its place */
export function readHandshakeFrame<K extends Message['kind']>(
  bytes: Uint8Array,
  expected: {
    readonly kinds: readonly K[];
    readonly sequence: bigint;
    readonly direction: Direction;
  },
): Extract<Message, { kind: K }> {
  const { kinds, sequence, direction } = expected;
  const frame = decodeFrame(bytes, { direction, session: '' });
  const message = decodePayload(unpack(frame));
  if (frame.sequence !== sequence) {
    throw new DecodeError(`sequence ${frame.sequence} where ${sequence} was expected`);
  }
  if (!kinds.some((kind) => kind === message.kind)) {
    throw new DecodeError(`a ${message.kind} message where ${kinds.join(' or ')} was expected`);
  }
  return message as Extract<Message, { kind: K }>;
}
