import { DecodeError } from './decode-error.js';

/** https://protobuf.dev/programming-guides/encoding */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Nobody writes groups any more, but readers have to know where one ends. */
const groupBegins = 3;
const groupEnds = 4;

export type WireType = (typeof wireTypes)[keyof typeof wireTypes];

export const tagOf = (field: number, wireType: WireType): number => (field << 3) | wireType;

/** Without a length there is nothing in it that anybody could change. */
export const nothing = new Uint8Array();

/** The parts of protobuf messages, one after the other. All methods throw a DecodeError when the bytes do not go so far. */
export class WireReader {
  readonly #bytes: Buffer;
  /** Of the same memory: Node's own readers of numbers take several times as long. */
  readonly #view: DataView;
  readonly #name: string;
  #at = 0;
  #end: number;

  /** @param name of the message, for errors */
  constructor(from: Uint8Array, name: string) {
    this.#bytes = Buffer.from(from.buffer, from.byteOffset, from.byteLength);
    this.#view = new DataView(from.buffer, from.byteOffset, from.byteLength);
    this.#end = from.byteLength;
    this.#name = name;
  }

  get hasMore(): boolean {
    return this.#at < this.#end;
  }

  /** Up to ten bytes; what goes beyond 32 bits is cut off, as protobuf does for a 32-bit field. */
  varint32(): number {
    // Nearly all of them are tags, lengths and small numbers.
    const first = this.#bytes[this.#at] ?? 0x80;
    if (first < 0x80 && this.#at < this.#end) {
      this.#at += 1;
      return first;
    }
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#skip(1)] ?? 0;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw this.#malformed('a number without an end');
  }

  /** As a double: exact up to 2^53, above it as near as doubles are. */
  varint64(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = this.#bytes[this.#skip(1)] ?? 0;
      // Of the tenth byte only the lowest bit counts.
      value += (scale < 2 ** 63 ? byte & 0x7f : byte & 1) * scale;
      if (byte < 0x80) return value;
    }
    throw this.#malformed('a number without an end');
  }

  fixed64(): bigint {
    return this.#view.getBigUint64(this.#skip(8), true);
  }

  fixed32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#skip(8), true);
  }

  /** Shares the memory of what is read. */
  bytes(): Uint8Array {
    const length = this.varint32();
    const from = this.#skip(length);
    if (length === 0) return nothing;
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + from, length);
  }

  string(): string {
    const length = this.varint32();
    const from = this.#skip(length);
    return length === 0 ? '' : this.#bytes.toString('utf8', from, from + length);
  }

  /** Calls `read` for a message within this one, whose end is the end of what can be read meanwhile. */
  message<T>(read: () => T): T {
    const length = this.varint32();
    const end = this.#skip(length) + length;
    const outer = this.#end;
    this.#at = end - length;
    this.#end = end;
    const value = read();
    this.#end = outer;
    return value;
  }

  /** A field of a newer version; a known field of another type is none of ours either. */
  unknown(tag: number): void {
    if (tag >>> 3 === 0) throw this.#malformed('field number 0');
    switch (tag & 7) {
      case wireTypes.varint:
        this.varint32();
        return;
      case wireTypes.fixed64:
        this.#skip(8);
        return;
      case wireTypes.bytes:
        this.#skip(this.varint32());
        return;
      case wireTypes.fixed32:
        this.#skip(4);
        return;
      case groupBegins:
        this.#skipGroup();
        return;
      default:
        throw this.#malformed(`wire type ${tag & 7}`);
    }
  }

  /** To the end of one that has begun; there may be others within. */
  #skipGroup(): void {
    for (let depth = 1; depth > 0;) {
      const tag = this.varint32();
      const wireType = tag & 7;
      if (wireType === groupBegins) depth += 1;
      else if (wireType === groupEnds) depth -= 1;
      else this.unknown(tag);
    }
  }

  /** Where the next `count` bytes begin; they are taken. */
  #skip(count: number): number {
    const from = this.#at;
    if (count > this.#end - from) throw this.#malformed('cut short');
    this.#at += count;
    return from;
  }

  #malformed(what: string): DecodeError {
    return new DecodeError(`not a ${this.#name} message: ${what}`);
  }
}
