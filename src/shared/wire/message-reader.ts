/**
 * Messages of agent.proto read in one pass into the types of shared/model/messages. A controller reads thousands a second:
 * going through proto-loader's plain objects, with decimal strings for 64-bit numbers, took most of a message's time.
 */
import { DecodeError } from './decode-error.js';
import { nothing, tagOf, WireReader, wireTypes } from './wire-reader.js';
import type { WireType } from './wire-reader.js';

export type Raw = Record<string, unknown>;

/** A field as proto-loader describes it. */
export interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  /** Of a message or an enum. */
  readonly typeName: string;
  readonly label: string;
}

/** What else agent.proto knows by name. */
interface Types {
  message(name: string): MessageReader;
  /** Names by number, without the zero that only says "not set". */
  enumeration(name: string): ReadonlyMap<number, string>;
}

interface FieldReader {
  readonly name: string;
  readonly tag: number;
  readonly isRepeated: boolean;
  /** Of which its values are, and which they are not when they are numbers. */
  readonly enumeration: string | undefined;
  readonly read: (reader: WireReader) => unknown;
  /** Of a message without the field. */
  readonly absent: unknown;
}

type Reading = Omit<FieldReader, 'name' | 'tag' | 'isRepeated' | 'enumeration'> & {
  readonly wireType: WireType;
};

export class MessageReader {
  readonly #name: string;
  readonly #enums: readonly FieldReader[];
  readonly #lists: readonly FieldReader[];
  /** A message without any field. */
  readonly #empty: Raw;
  /** Sparse. */
  readonly #byTag: (FieldReader | undefined)[] = [];

  constructor(name: string, fields: readonly Field[], types: Types) {
    this.#name = name;
    const readers = fields.map((field) => fieldReader(field, types));
    this.#enums = readers.filter(({ enumeration }) => enumeration !== undefined);
    this.#lists = readers.filter(({ isRepeated }) => isRepeated);
    this.#empty = Object.fromEntries(readers.map(({ name, absent }) => [name, absent]));
    for (const field of readers) this.#byTag[field.tag] = field;
  }

  /** Every field has a value. @throws DecodeError */
  read(bytes: Uint8Array): Raw {
    return this.readFrom(new WireReader(bytes, this.#name));
  }

  /** As `read`, but a value that its enum does not have stays a number. @throws DecodeError */
  readLeniently(bytes: Uint8Array): Raw {
    return this.#read(new WireReader(bytes, this.#name));
  }

  readFrom(reader: WireReader): Raw {
    const message = this.#read(reader);
    for (const { enumeration, name } of this.#enums) {
      const value = message[name];
      if (typeof value !== 'number') continue;
      throw new DecodeError(`${name}: ${String(value)} is not a value of ${String(enumeration)}`);
    }
    return message;
  }

  /**
   * The field that comes last of those of a message that has one at most, but for `beside`, which it may have besides;
   * undefined: none that is known.
   */
  readOne(
    bytes: Uint8Array,
    beside: string,
  ): {
    readonly found: { readonly name: string; readonly value: unknown } | undefined;
    readonly aside: Raw | undefined;
  } {
    const reader = new WireReader(bytes, this.#name);
    let found: { readonly name: string; readonly value: unknown } | undefined;
    let aside: Raw | undefined;
    while (reader.hasMore) {
      const tag = reader.varint32();
      const field = this.#byTag[tag];
      if (!field) reader.unknown(tag);
      else if (field.name === beside) aside = field.read(reader) as Raw;
      else found = { name: field.name, value: field.read(reader) };
    }
    return { found, aside };
  }

  #read(reader: WireReader): Raw {
    const message: Raw = { ...this.#empty };
    for (const { name } of this.#lists) message[name] = [];
    while (reader.hasMore) {
      const tag = reader.varint32();
      const field = this.#byTag[tag];
      if (!field) reader.unknown(tag);
      else if (field.isRepeated) (message[field.name] as unknown[]).push(field.read(reader));
      else message[field.name] = field.read(reader);
    }
    return message;
  }
}

function fieldReader(field: Field, types: Types): FieldReader {
  const { name, number, type, typeName, label } = field;
  const { wireType, read, absent } = readingOf(field, types);
  const isRepeated = label === 'LABEL_REPEATED';
  // Numbers of a list come in one piece, which nobody takes apart yet.
  if (isRepeated && wireType !== wireTypes.bytes) throw new Error(`${name}: a list of ${type}`);
  return {
    name,
    tag: tagOf(number, wireType),
    isRepeated,
    enumeration: type === 'TYPE_ENUM' ? typeName : undefined,
    read,
    absent,
  };
}

function readingOf({ name, type, typeName }: Field, types: Types): Reading {
  const { varint, fixed64, bytes } = wireTypes;
  switch (type) {
    case 'TYPE_UINT32':
      return { wireType: varint, read: (reader) => reader.varint32(), absent: 0 };
    case 'TYPE_UINT64':
      return { wireType: varint, read: (reader) => exact(name, reader.varint64()), absent: 0 };
    case 'TYPE_FIXED64':
      return { wireType: fixed64, read: (reader) => reader.fixed64(), absent: 0n };
    case 'TYPE_DOUBLE':
      return { wireType: fixed64, read: (reader) => reader.double(), absent: 0 };
    case 'TYPE_BOOL':
      return { wireType: varint, read: (reader) => reader.varint64() !== 0, absent: false };
    case 'TYPE_STRING':
      return { wireType: bytes, read: (reader) => printable(reader.string()), absent: '' };
    case 'TYPE_BYTES':
      return { wireType: bytes, read: (reader) => reader.bytes(), absent: nothing };
    case 'TYPE_ENUM': {
      const names = types.enumeration(typeName);
      const nameOf = (value: number): string | number => names.get(value) ?? value;
      return {
        wireType: varint,
        read: (reader) => nameOf(reader.varint32()),
        absent: nameOf(0),
      };
    }
    case 'TYPE_MESSAGE':
      return {
        wireType: bytes,
        // Looked up when first used: messages may refer to each other in any order.
        read: (reader) => reader.message(() => types.message(typeName).readFrom(reader)),
        absent: undefined,
      };
    default:
      throw new Error(`${name}: nobody reads ${type} yet`);
  }
}

function exact(name: string, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new DecodeError(`${name}: ${String(value)} is beyond 2^53`);
}

const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text from the network ends up in logs and on terminals, which obey control characters. Line ends and tabs may stay. */
function printable(text: string): string {
  return text.replaceAll(unprintable, '\ufffd');
}
