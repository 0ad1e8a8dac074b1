/**
 * The message Frame of agent.proto, written and read by hand: thousands a second pass here, and going through
 * general-purpose objects with decimal strings for 64-bit numbers took most of a frame's time. Format:
 * https://protobuf.dev/programming-guides/encoding
 */
import { nothing, tagOf, WireReader, wireTypes } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

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

const writer = new WireWriter();

/** In the order of the fields' numbers, those at their default left out, as proto3 writes them. */
export function writeFrame(fields: FrameFields): Buffer {
  writer.begin();
  fixed64(1, fields.sequence);
  fixed64(2, fields.reliable);
  fixed64(3, fields.ack);
  if (fields.crc !== 0) {
    writer.tag(4, wireTypes.fixed32);
    writer.fixed32(fields.crc);
  }
  lengthDelimited(5, fields.mac);
  if (fields.encoding !== 0) {
    writer.tag(6, wireTypes.varint);
    writer.varint(fields.encoding);
  }
  lengthDelimited(7, fields.payload);
  fixed64(8, fields.seen);
  fixed64(9, fields.heard);
  return writer.take();
}

function fixed64(field: number, value: bigint): void {
  if (value === 0n) return;
  writer.tag(field, wireTypes.fixed64);
  writer.fixed64(value);
}

function lengthDelimited(field: number, value: Uint8Array): void {
  if (value.length === 0) return;
  writer.tag(field, wireTypes.bytes);
  writer.bytes(value);
}

/**
 * Unknown fields are skipped, of a field that comes twice the last counts; byte fields share the memory of `from`.
 * @throws DecodeError
 */
export function readFrame(from: Uint8Array): FrameFields {
  const reader = new WireReader(from, 'Frame');
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
  while (reader.hasMore) readField(reader, fields);
  return fields;
}

function readField(reader: WireReader, fields: FrameFields): void {
  const tag = reader.varint32();
  switch (tag) {
    case tagOf(1, wireTypes.fixed64):
      fields.sequence = reader.fixed64();
      return;
    case tagOf(2, wireTypes.fixed64):
      fields.reliable = reader.fixed64();
      return;
    case tagOf(3, wireTypes.fixed64):
      fields.ack = reader.fixed64();
      return;
    case tagOf(4, wireTypes.fixed32):
      fields.crc = reader.fixed32();
      return;
    case tagOf(5, wireTypes.bytes):
      fields.mac = reader.bytes();
      return;
    case tagOf(6, wireTypes.varint):
      fields.encoding = reader.varint32();
      return;
    case tagOf(7, wireTypes.bytes):
      fields.payload = reader.bytes();
      return;
    case tagOf(8, wireTypes.fixed64):
      fields.seen = reader.fixed64();
      return;
    case tagOf(9, wireTypes.fixed64):
      fields.heard = reader.fixed64();
      return;
    default:
      reader.unknown(tag);
  }
}
