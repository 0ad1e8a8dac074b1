/**
 * agent.proto as code: loaded once, with a converter per message between proto-loader's plain objects (64-bit values
 * as decimal strings, enums as names) and the types of shared/model/messages.
 */
import { loadSync } from '@grpc/proto-loader';
import type {
  EnumTypeDefinition,
  MessageTypeDefinition,
  PackageDefinition,
  ServiceDefinition,
} from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';

const protoPath = fileURLToPath(
  new URL('../../../../proto/muster/v1/agent.proto', import.meta.url),
);
const packageName = 'muster.v1';

/** What arrived is not what agent.proto describes; the message says what is wrong with it. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

export type Raw = Record<string, unknown>;
type AnyMessage = MessageTypeDefinition<object, object>;
type Convert = (value: unknown) => unknown;

export interface MessageSchema {
  serialize(value: object): Buffer;
  /** @throws DecodeError */
  deserialize(bytes: Uint8Array): Raw;
  /** proto-loader's object to ours. @throws DecodeError */
  fromWire(raw: Raw): Raw;
  /** Our object to proto-loader's. @throws RangeError when a number does not fit its field */
  toWire(value: Raw): Raw;
  readonly fieldNames: readonly string[];
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly typeName: string;
  readonly label: string;
}

const definitions: PackageDefinition = loadSync(protoPath, {
  longs: String,
  enums: String,
  bytes: Buffer,
  defaults: true,
  arrays: true,
  oneofs: true,
});

/** The gRPC service, for the server and the client. */
export const agentServiceDefinition = definitions[`${packageName}.Agent`] as ServiceDefinition;

const schemas = new Map<string, MessageSchema>();

/** @throws Error when agent.proto has no such message: a mistake in this program */
export function schemaOf(name: string): MessageSchema {
  const known = schemas.get(name);
  if (known) return known;
  const made = makeSchema(definitions[`${packageName}.${name}`] as AnyMessage | undefined, name);
  schemas.set(name, made);
  return made;
}

/** Names of the kinds of Payload with the message each one carries. */
export function payloadKinds(): ReadonlyMap<string, string> {
  const payload = definitions[`${packageName}.Payload`] as AnyMessage;
  return new Map(fieldsOf(payload).map((field) => [field.name, field.typeName]));
}

function makeSchema(definition: AnyMessage | undefined, name: string): MessageSchema {
  if (!definition) throw new Error(`agent.proto has no message ${name}`);
  const fields = fieldsOf(definition);
  const decoders = fields.map((field) => [field.name, decoderOf(field)] as const);
  const encoders = fields.map((field) => [field.name, encoderOf(field)] as const);
  const { serialize, deserialize } = definition;
  return {
    serialize,
    deserialize: (bytes) => {
      try {
        return deserialize(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as Raw;
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new DecodeError(`not a ${name} message: ${reason}`, { cause });
      }
    },
    fromWire: (raw) => convertAll(decoders, raw),
    toWire: (value) => convertAll(encoders, value),
    fieldNames: fields.map((field) => field.name),
  };
}

function convertAll(converters: readonly (readonly [string, Convert])[], from: Raw): Raw {
  const to: Raw = {};
  for (const [name, convert] of converters) to[name] = convert(from[name]);
  return to;
}

function fieldsOf(definition: AnyMessage): readonly Field[] {
  return (definition.type as { field: readonly Field[] }).field;
}

function decoderOf(field: Field): Convert {
  const one = scalarDecoder(field);
  if (field.label === 'LABEL_REPEATED') return (values) => (values as unknown[]).map(one);
  return one;
}

function scalarDecoder({ name, type, typeName }: Field): Convert {
  switch (type) {
    case 'TYPE_FIXED64':
      return (value) => BigInt(value as string);
    case 'TYPE_UINT64':
      return (value) => {
        const count = Number(value);
        if (Number.isSafeInteger(count)) return count;
        throw new DecodeError(`${name}: ${String(value)} is beyond 2^53`);
      };
    case 'TYPE_BYTES':
      return (value) => {
        const bytes = value as Uint8Array;
        // protobufjs gives a plain array for an empty field.
        if (bytes.length === 0) return new Uint8Array();
        return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      };
    case 'TYPE_ENUM':
      return (value) => {
        if (typeof value === 'string' && value !== unsetName(typeName)) return value;
        throw new DecodeError(`${name}: ${String(value)} is not a value of ${typeName}`);
      };
    case 'TYPE_STRING':
      return (value) => printable(value as string);
    case 'TYPE_MESSAGE':
      // Looked up when first used: messages may refer to each other in any order.
      return (value) => (value === null ? undefined : schemaOf(typeName).fromWire(value as Raw));
    default:
      return (value) => value;
  }
}

/** Text from the network ends up in logs and on terminals, which obey control characters. Line ends and tabs may stay. */
function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}

function encoderOf(field: Field): Convert {
  const one = scalarEncoder(field);
  if (field.label === 'LABEL_REPEATED') return (values) => (values as unknown[]).map(one);
  return one;
}

function scalarEncoder({ name, type, typeName }: Field): Convert {
  switch (type) {
    case 'TYPE_FIXED64':
      return (value) => {
        const exact = value as bigint;
        if (BigInt.asUintN(64, exact) === exact) return exact.toString();
        throw new RangeError(`${name}: ${exact.toString()} is not an unsigned 64-bit value`);
      };
    case 'TYPE_UINT64':
    case 'TYPE_UINT32': {
      const limit = type === 'TYPE_UINT32' ? 2 ** 32 - 1 : Number.MAX_SAFE_INTEGER;
      return (value) => {
        const count = value as number | undefined;
        // Of an optional field.
        if (count === undefined) return undefined;
        if (Number.isInteger(count) && count >= 0 && count <= limit) return count;
        throw new RangeError(`${name}: ${count} is not a whole number from 0 to ${limit}`);
      };
    }
    case 'TYPE_MESSAGE':
      return (value) => (value === undefined ? null : schemaOf(typeName).toWire(value as Raw));
    default:
      return (value) => value;
  }
}

/** The name of an enum's zero when it only means "not set", so that it is never taken for a value. */
function unsetName(enumName: string): string | undefined {
  const definition = definitions[`${packageName}.${enumName}`] as EnumTypeDefinition;
  const { value } = definition.type as { value: readonly { name: string; number: number }[] };
  return value.find(({ name, number }) => number === 0 && name === 'UNKNOWN')?.name;
}
