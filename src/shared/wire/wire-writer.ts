import { tagOf } from './wire-reader.js';
import type { WireType } from './wire-reader.js';

const usualBytes = 16 * 1024;
/** Longest of a number up to 2^53. */
const longestVarint = 8;
const shortText = 24;

/** The parts of protobuf messages, one after the other, in memory that is used again for the next message. */
export class WireWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(usualBytes);
  #view = viewOf(this.#bytes);
  #at = 0;

  begin(): void {
    this.#at = 0;
    if (this.#bytes.length > 4 * usualBytes) this.#use(Buffer.allocUnsafeSlow(usualBytes));
  }

  /** What was written since `begin`. */
  take(): Buffer {
    const taken = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(taken, 0, 0, this.#at);
    return taken;
  }

  tag(field: number, wireType: WireType): void {
    this.varint(tagOf(field, wireType));
  }

  /** @param value a whole number from 0 to 2^53 */
  varint(value: number): void {
    this.#room(longestVarint);
    let rest = value;
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) {
      this.#bytes[this.#at++] = (rest % 128) | 0x80;
    }
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#at++] = rest;
  }

  fixed64(value: bigint): void {
    this.#room(8);
    this.#view.setBigUint64(this.#at, value, true);
    this.#at += 8;
  }

  fixed32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  double(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  string(value: string): void {
    if (value.length <= shortText && this.#ascii(value)) return;
    const length = Buffer.byteLength(value);
    this.varint(length);
    this.#room(length);
    this.#at += this.#bytes.write(value, this.#at);
  }

  /** What is written from here to `end` is a message within the one around it. @returns what `end` wants to know */
  open(): number {
    // Most are short; for longer ones it is moved.
    this.varint(0);
    return this.#at;
  }

  end(from: number): void {
    const length = this.#at - from;
    const more = lengthOfVarint(length) - 1;
    this.#room(more);
    if (more > 0) this.#bytes.copyWithin(from + more, from, this.#at);
    this.#at = from - 1;
    this.varint(length);
    this.#at += length;
  }

  #ascii(value: string): boolean {
    this.#room(1 + value.length);
    const from = this.#at + 1;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#bytes[from + i] = code;
    }
    this.#bytes[this.#at] = value.length;
    this.#at = from + value.length;
    return true;
  }

  #room(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#use(larger);
  }

  #use(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

function lengthOfVarint(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length += 1;
  return length;
}
