/** Messages of agent.proto, written from the types of shared/model/messages: the counterpart of message-reader. */
import type { Field, Raw } from './message-reader.js';
import { nothing, tagOf, wireTypes } from './wire-reader.js';
import type { WireType } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

/** What else agent.proto knows by name. */
interface Types {
  message(name: string): MessageWriter;
  /** Numbers by name. */
  enumeration(name: string): ReadonlyMap<string, number>;
}

interface Writing {
  readonly wireType: WireType;
  readonly write: (to: WireWriter, value: unknown) => void;
  /** A field with this value is left out, as proto3 does. */
  readonly absent: unknown;
}

interface FieldWriter extends Writing {
  readonly name: string;
  readonly tag: number;
  readonly isRepeated: boolean;
}

/** Of all messages, one after the other. */
const scratch = new WireWriter();

export class MessageWriter {
  readonly #name: string;
  readonly #fields: readonly FieldWriter[];
  readonly #byName: ReadonlyMap<string, FieldWriter>;

  constructor(name: string, fields: readonly Field[], types: Types) {
    this.#name = name;
    this.#fields = fields.map((field) => {
      const writing = writingOf(field, types);
      const tag = tagOf(field.number, writing.wireType);
      return { ...writing, name: field.name, tag, isRepeated: field.label === 'LABEL_REPEATED' };
    });
    this.#byName = new Map(this.#fields.map((field) => [field.name, field]));
  }

  /** @throws RangeError when a value does not fit its field */
  write(message: Raw): Buffer {
    scratch.begin();
    this.writeTo(scratch, message);
    return scratch.take();
  }

  /** A message of which only this field is set. @throws RangeError when a value does not fit its field */
  writeOne(name: string, value: unknown): Buffer {
    const field = this.#byName.get(name);
    if (!field) throw new Error(`agent.proto has no ${name} in ${this.#name}`);
    scratch.begin();
    scratch.varint(field.tag);
    field.write(scratch, value);
    return scratch.take();
  }

  writeTo(to: WireWriter, message: Raw): void {
    for (const { name, tag, isRepeated, write, absent } of this.#fields) {
      const value = message[name];
      if (value === undefined || value === absent) continue;
      if (isRepeated) {
        for (const one of value as readonly unknown[]) {
          to.varint(tag);
          write(to, one);
        }
      } else if (absent !== nothing || (value as Uint8Array).length > 0) {
        to.varint(tag);
        write(to, value);
      }
    }
  }
}

function writingOf({ name, type, typeName }: Field, types: Types): Writing {
  const { varint, fixed64, bytes } = wireTypes;
  switch (type) {
    case 'TYPE_UINT32':
    case 'TYPE_UINT64': {
      const limit = type === 'TYPE_UINT32' ? 2 ** 32 - 1 : Number.MAX_SAFE_INTEGER;
      const write = (to: WireWriter, value: unknown): void => {
        to.varint(whole(name, value as number, limit));
      };
      return { wireType: varint, write, absent: 0 };
    }
    case 'TYPE_FIXED64': {
      const write = (to: WireWriter, value: unknown): void => {
        to.fixed64(unsigned64(name, value as bigint));
      };
      return { wireType: fixed64, write, absent: 0n };
    }
    case 'TYPE_DOUBLE': {
      const write = (to: WireWriter, value: unknown): void => {
        to.double(value as number);
      };
      return { wireType: fixed64, write, absent: 0 };
    }
    case 'TYPE_BOOL': {
      const write = (to: WireWriter): void => {
        to.varint(1);
      };
      return { wireType: varint, write, absent: false };
    }
    case 'TYPE_STRING': {
      const write = (to: WireWriter, value: unknown): void => {
        to.string(value as string);
      };
      return { wireType: bytes, write, absent: '' };
    }
    case 'TYPE_BYTES': {
      const write = (to: WireWriter, value: unknown): void => {
        to.bytes(value as Uint8Array);
      };
      return { wireType: bytes, write, absent: nothing };
    }
    case 'TYPE_ENUM': {
      const numbers = types.enumeration(typeName);
      const write = (to: WireWriter, value: unknown): void => {
        const number = numbers.get(value as string);
        if (number === undefined) throw new RangeError(`${name}: no ${typeName} ${String(value)}`);
        to.varint(number);
      };
      return { wireType: varint, write, absent: undefined };
    }
    case 'TYPE_MESSAGE': {
      const write = (to: WireWriter, value: unknown): void => {
        const from = to.open();
        // Looked up when first used: messages may refer to each other in any order.
        types.message(typeName).writeTo(to, value as Raw);
        to.end(from);
      };
      return { wireType: bytes, write, absent: undefined };
    }
    default:
      throw new Error(`${name}: nobody writes ${type} yet`);
  }
}

function whole(name: string, count: number, limit: number): number {
  if (Number.isInteger(count) && count >= 0 && count <= limit) return count;
  throw new RangeError(`${name}: ${count} is not a whole number from 0 to ${limit}`);
}

function unsigned64(name: string, value: bigint): bigint {
  if (BigInt.asUintN(64, value) === value) return value;
  throw new RangeError(`${name}: ${value.toString()} is not an unsigned 64-bit value`);
}
