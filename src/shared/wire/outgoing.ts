import { deliveryOf } from '../model/messages.js';
import type { Lane, Message, MessageKind } from '../model/messages.js';
import { chunkBytes } from './bulk-credit.js';
import { encodeBeside, encodePayload } from './codec.js';
import { pack } from './compression.js';
import type { Packed } from './compression.js';

/** A message, or a piece of one, on its way out. */
export interface Outgoing {
  /** The kind of the message, also for its pieces. */
  readonly kind: MessageKind;
  readonly lane: Lane;
  readonly reliable: boolean;
  /** Under bulk credit. */
  readonly bulk: boolean;
  readonly piece: boolean;
  readonly plainBytes: number;
  /** Given at the first write, 0n before; kept on replay. */
  number: bigint;
  /** Packed when first needed, so that a large message does not hold the loop. */
  plain: Uint8Array | undefined;
  packed: Packed | undefined;
  /** Of one that may ride with another message: what then stands behind that one's payload. */
  readonly beside: Buffer | undefined;
}

/** A reliable payload above 16 KiB becomes chunks; an unreliable one always travels whole. */
export function outgoingOf(message: Message, transfer: number): Outgoing[] {
  const { kind } = message;
  const { lane, reliable } = deliveryOf[kind];
  const plain = encodePayload(message);
  const item = (bytes: Uint8Array, piece: boolean): Outgoing => ({
    kind,
    lane,
    reliable,
    bulk: piece || lane === 'high' || lane === 'live',
    piece,
    plainBytes: bytes.length,
    number: 0n,
    plain: bytes,
    packed: undefined,
    beside: message.kind === 'heartbeat' ? encodeBeside(message) : undefined,
  });
  if (!reliable || plain.length <= chunkBytes) return [item(plain, false)];
  const count = Math.ceil(plain.length / chunkBytes);
  return Array.from({ length: count }, (_, index) => {
    const data = plain.subarray(index * chunkBytes, (index + 1) * chunkBytes);
    return item(encodePayload({ kind: 'chunk', transfer, index, count, data }), true);
  });
}

export function packedOf(item: Outgoing): Packed {
  item.packed ??= pack(item.plain ?? new Uint8Array());
  item.plain = undefined;
  return item.packed;
}

/**
 * How many unreliable messages of a kind may wait when the link does not keep up; the oldest are given up and counted.
 * A heartbeat, a lease or a progress that a newer one follows says nothing any more.
 */
export function queueLimit(kind: MessageKind): number {
  switch (kind) {
    case 'heartbeat':
    case 'lease':
    case 'progress':
    case 'linkReport':
    case 'goodbye':
      return 1;
    case 'log':
      return 1000;
    default:
      return 64;
  }
}
