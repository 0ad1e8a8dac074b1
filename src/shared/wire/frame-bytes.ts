/**
 * The message Frame of agent.proto, written and read by hand: thousands a second pass here, and going through
 * general-purpose objects with decimal strings for 64-bit numbers took most of a frame's time. Format:
 * https://protobuf.dev/programming-guides/encoding
 */
import { DecodeError } from './schema.js';

/** The fields as they are in the message. */
export interface FrameFields {
  sequence: bigint;
  reliable: bigint;
  ack: bigint;
  crc: number;
  mac: Uint8Array;
  encoding: number;
  payload: Uint8Array;
  seen: bigint;
  heard: bigint;
}

const nothing = new Uint8Array();
const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Longest varint of a 32-bit value. */
const longestVarint = 5;

const tagOf = (field: number, wireType: number): number => (field << 3) | wireType;

/** In the order of the fields' numbers, those at their default left out, as proto3 writes them. */
export function writeFrame(fields: FrameFields): Buffer {
  const { mac, payload } = fields;
  const bytes = Buffer.allocUnsafe(
    5 * 9 + 5 + 2 + 2 * (1 + longestVarint) + mac.length + payload.length,
  );
  let at = fixed64(bytes, 0, 1, fields.sequence);
  at = fixed64(bytes, at, 2, fields.reliable);
  at = fixed64(bytes, at, 3, fields.ack);
  if (fields.crc !== 0) {
    bytes[at] = tagOf(4, wireTypes.fixed32);
    at = bytes.writeUInt32LE(fields.crc, at + 1);
  }
  at = lengthDelimited(bytes, at, 5, mac);
  if (fields.encoding !== 0) {
    bytes[at] = tagOf(6, wireTypes.varint);
    at = varint(bytes, at + 1, fields.encoding);
  }
  at = lengthDelimited(bytes, at, 7, payload);
  at = fixed64(bytes, at, 8, fields.seen);
  at = fixed64(bytes, at, 9, fields.heard);
  return bytes.subarray(0, at);
}

function fixed64(bytes: Buffer, at: number, field: number, value: bigint): number {
  if (value === 0n) return at;
  bytes[at] = tagOf(field, wireTypes.fixed64);
  return bytes.writeBigUInt64LE(value, at + 1);
}

function lengthDelimited(bytes: Buffer, at: number, field: number, value: Uint8Array): number {
  if (value.length === 0) return at;
  bytes[at] = tagOf(field, wireTypes.bytes);
  const from = varint(bytes, at + 1, value.length);
  bytes.set(value, from);
  return from + value.length;
}

function varint(bytes: Buffer, at: number, value: number): number {
  let rest = value;
  let to = at;
  for (; rest > 0x7f; rest >>>= 7) bytes[to++] = (rest & 0x7f) | 0x80;
  bytes[to] = rest;
  return to + 1;
}

/**
 * Unknown fields are skipped, of a field that comes twice the last counts; byte fields share the memory of `from`.
 * @throws DecodeError
 */
export function readFrame(from: Uint8Array): FrameFields {
  return new Reader(from).read();
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(from: Uint8Array) {
    this.#bytes = Buffer.from(from.buffer, from.byteOffset, from.byteLength);
  }

  read(): FrameFields {
    const fields: FrameFields = {
      sequence: 0n,
      reliable: 0n,
      ack: 0n,
      crc: 0,
      mac: nothing,
      encoding: 0,
      payload: nothing,
      seen: 0n,
      heard: 0n,
    };
    while (this.#at < this.#bytes.length) this.#field(fields);
    return fields;
  }

  #field(fields: FrameFields): void {
    const tag = this.#varint();
    switch (tag) {
      case tagOf(1, wireTypes.fixed64):
        fields.sequence = this.#fixed64();
        return;
      case tagOf(2, wireTypes.fixed64):
        fields.reliable = this.#fixed64();
        return;
      case tagOf(3, wireTypes.fixed64):
        fields.ack = this.#fixed64();
        return;
      case tagOf(4, wireTypes.fixed32):
        fields.crc = this.#bytes.readUInt32LE(this.#skip(4));
        return;
      case tagOf(5, wireTypes.bytes):
        fields.mac = this.#lengthDelimited();
        return;
      case tagOf(6, wireTypes.varint):
        fields.encoding = this.#varint();
        return;
      case tagOf(7, wireTypes.bytes):
        fields.payload = this.#lengthDelimited();
        return;
      case tagOf(8, wireTypes.fixed64):
        fields.seen = this.#fixed64();
        return;
      case tagOf(9, wireTypes.fixed64):
        fields.heard = this.#fixed64();
        return;
      default:
        this.#unknown(tag);
    }
  }

  /** Of a newer version; a known field of another type is none of ours either. */
  #unknown(tag: number): void {
    if (tag >>> 3 === 0) throw new DecodeError('not a Frame message: field number 0');
    switch (tag & 7) {
      case wireTypes.varint:
        this.#varint();
        return;
      case wireTypes.fixed64:
        this.#skip(8);
        return;
      case wireTypes.bytes:
        this.#lengthDelimited();
        return;
      case wireTypes.fixed32:
        this.#skip(4);
        return;
      default:
        throw new DecodeError(`not a Frame message: wire type ${tag & 7}`);
    }
  }

  #fixed64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#skip(8));
  }

  #lengthDelimited(): Uint8Array {
    const length = this.#varint();
    const from = this.#skip(length);
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + from, length);
  }

  /** Up to ten bytes; what goes beyond 32 bits is cut off, as protobuf does for a 32-bit field. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#skip(1)] ?? 0;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new DecodeError('not a Frame message: a number without an end');
  }

  /** Where the next `count` bytes begin; they are taken. */
  #skip(count: number): number {
    const from = this.#at;
    if (count > this.#bytes.length - from) throw new DecodeError('not a Frame message: cut short');
    this.#at += count;
    return from;
  }
}
