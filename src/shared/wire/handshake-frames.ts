import type { Message } from '../model/messages.js';
import { decodePayload, encodePayload } from './codec.js';
import { DecodeError } from './decode-error.js';
import { pack, unpack } from './compression.js';
import { decodeFrame, encodeFrame } from './frame.js';
import type { Direction, FrameSigner } from './frame.js';

/**
 * Frames of the handshake belong to no session yet: the session id under their checksum is empty, they acknowledge
 * nothing, and `sequence` is their place on the stream (Open 1, Confirm 2; Welcome or Refused 1).
 */
export function handshakeFrame(
  message: Message,
  sequence: bigint,
  direction: Direction,
  signer?: FrameSigner,
): Buffer {
  const packed = pack(encodePayload(message));
  const frame = { sequence, reliable: 0n, ack: 0n, seen: 0n, heard: 0n, ...packed };
  return encodeFrame(frame, { direction, session: '', signer });
}

/**
 * @throws AuthenticationError when there is a signer and the frame was not made with its token
 * @throws DecodeError when it is not the message of one of `kinds` at its place
 */
export function readHandshakeFrame<K extends Message['kind']>(
  bytes: Uint8Array,
  expected: {
    readonly kinds: readonly K[];
    readonly sequence: bigint;
    readonly direction: Direction;
    readonly signer?: FrameSigner | undefined;
  },
): Extract<Message, { kind: K }> {
  const { kinds, sequence, direction, signer } = expected;
  const frame = decodeFrame(bytes, { direction, session: '', signer });
  const message = decodePayload(unpack(frame));
  if (frame.sequence !== sequence) {
    throw new DecodeError(`sequence ${frame.sequence} where ${sequence} was expected`);
  }
  if (!kinds.some((kind) => kind === message.kind)) {
    throw new DecodeError(`a ${message.kind} message where ${kinds.join(' or ')} was expected`);
  }
  return message as Extract<Message, { kind: K }>;
}
