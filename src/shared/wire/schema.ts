/** agent.proto as code: loaded once, with a reader and a writer per message. */
import { loadSync } from '@grpc/proto-loader';
import type {
  EnumTypeDefinition,
  MessageTypeDefinition,
  PackageDefinition,
  ServiceDefinition,
} from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';
import { MessageReader } from './message-reader.js';
import type { Field } from './message-reader.js';
import { MessageWriter } from './message-writer.js';

const protoPath = fileURLToPath(
  new URL('../../../../proto/muster/v1/agent.proto', import.meta.url),
);
const packageName = 'muster.v1';

type AnyMessage = MessageTypeDefinition<object, object>;

export interface MessageSchema {
  readonly reader: MessageReader;
  readonly writer: MessageWriter;
}

const definitions: PackageDefinition = loadSync(protoPath);

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

function makeSchema(definition: AnyMessage | undefined, name: string): MessageSchema {
  if (!definition) throw new Error(`agent.proto has no message ${name}`);
  const fields = fieldsOf(definition);
  const reader = new MessageReader(name, fields, {
    message: (inner) => schemaOf(inner).reader,
    enumeration: (inner) => new Map(valuesOf(inner).map((one) => [one.number, one.name])),
  });
  const writer = new MessageWriter(name, fields, {
    message: (inner) => schemaOf(inner).writer,
    enumeration: (inner) => new Map(valuesOf(inner).map((one) => [one.name, one.number])),
  });
  return { reader, writer };
}

function fieldsOf(definition: AnyMessage): readonly Field[] {
  return (definition.type as { field: readonly Field[] }).field;
}

function valuesOf(enumeration: string): readonly { name: string; number: number }[] {
  const definition = definitions[`${packageName}.${enumeration}`] as EnumTypeDefinition;
  const { value } = definition.type as { value: readonly { name: string; number: number }[] };
  // Zero only means "not set", so that it is never taken for a value.
  return value.filter((one) => one.number !== 0 || one.name !== 'UNKNOWN');
}
