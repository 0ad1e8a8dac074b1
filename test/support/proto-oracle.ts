/** What protobufjs itself makes of agent.proto, to compare our own reader with. */
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

const proto = fileURLToPath(new URL('../../../proto/muster/v1/agent.proto', import.meta.url));
const definition = loadSync(proto, {
  longs: String,
  enums: String,
  bytes: Buffer,
  defaults: true,
  arrays: true,
  oneofs: true,
});

function typeOf(name: string): MessageTypeDefinition<object, object> {
  return definition[`muster.v1.${name}`] as MessageTypeDefinition<object, object>;
}

export function readByProtobufjs(name: string, bytes: Uint8Array): unknown {
  return comparable(typeOf(name).deserialize(Buffer.from(bytes)));
}

/** @param fields as proto-loader has them: 64-bit values as text. All of them are written, also those at their default */
export function writtenByProtobufjs(name: string, fields: object): Buffer {
  return typeOf(name).serialize(fields);
}

/** Numbers of any type as text, bytes as lists, and no fields that are not set. */
export function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value].map(String);
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  const set = Object.entries(value).filter(([, one]) => one !== undefined && one !== null);
  return Object.fromEntries(set.map(([name, one]) => [name, comparable(one)]));
}
