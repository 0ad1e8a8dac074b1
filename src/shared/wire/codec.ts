import type { AgentMessage, Interval, Message } from '../model/messages.js';
import { agentStates } from '../model/agent-state.js';
import { operationKinds } from '../model/operation.js';
import { DecodeError } from './decode-error.js';
import type { Raw } from './message-reader.js';
import { schemaOf } from './schema.js';

/** A piece of a serialised payload that is too large for one frame. */
export interface Chunk {
  readonly kind: 'chunk';
  readonly transfer: number;
  readonly index: number;
  readonly count: number;
  readonly data: Uint8Array;
}

/** Several intervals in one frame; to the application each is a message of its own. */
export interface Intervals {
  readonly kind: 'intervals';
  readonly intervals: readonly Interval[];
}

/** A kind this version does not know: counted and skipped, the field number is all that can be said about it. */
export interface UnknownKind {
  readonly kind: 'unknown';
  readonly field: number;
}

export type Heartbeat = Extract<AgentMessage, { kind: 'heartbeat' }>;

const payload = schemaOf('Payload');

/** @throws RangeError when a number does not fit its field: a mistake of the caller */
export function encodePayload(message: Message | Chunk | Intervals): Buffer {
  return payload.writer.writeOne(message.kind, message);
}

/** What stands behind a serialised payload with which the heartbeat is to ride. */
export function encodeBeside(heartbeat: Heartbeat): Buffer {
  return payload.writer.writeOne('beside', heartbeat);
}

/** @throws DecodeError when the bytes are not a payload, or a field has a value it cannot have */
export function decodePayload(bytes: Uint8Array): Message | Chunk | Intervals | UnknownKind {
  return decodeBoth(bytes).message;
}

/** As decodePayload, with the heartbeat that rides with the message. @throws DecodeError */
export function decodeBoth(bytes: Uint8Array): {
  readonly message: Message | Chunk | Intervals | UnknownKind;
  readonly beside: Heartbeat | undefined;
} {
  const { found, aside } = payload.reader.readOne(bytes, 'beside');
  const beside = aside === undefined ? undefined : (named('heartbeat', aside) as Heartbeat);
  if (!found) return { message: { kind: 'unknown', field: firstFieldNumber(bytes) }, beside };
  const message = named(found.name, found.value as Raw);
  return { message, beside };
}

/** @throws DecodeError */
function named(kind: string, message: Raw): Message | Chunk | Intervals {
  checkWords(kind, message);
  message['kind'] = kind;
  return message as unknown as Message | Chunk | Intervals;
}

/** Strings that are closed sets of words in shared/model/messages, by kind and field. */
const words: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  progress: { phase: ['prepare', 'cleanup', 'threads', 'stage', 'wait'] },
  stageResult: {
    endedBy: [
      'duration',
      'operations',
      'bytes',
      'exhausted',
      'aborted',
      'killed',
      'drained',
      'error',
    ],
  },
  final: { state: ['COMPLETED', 'FAILED', 'ABORTED'] },
  refused: { code: ['busy', 'protocol', 'secret', 'token', 'stopping'] },
  error: {
    code: [
      'config',
      'target',
      'dataset',
      'space',
      'permission',
      'crashed',
      'killed',
      'stuck',
      'lease',
      'stopped',
      'operations',
      'internal',
    ],
  },
  log: { level: ['debug', 'info', 'warn', 'error'] },
};

function checkWords(kind: string, fields: Raw): void {
  const own = words[kind];
  for (const field in own) checkWord(field, fields[field], own[field] ?? []);
  checkState(fields['state']);
  checkOperations(fields['operations']);
  for (const interval of listOf(fields['intervals'])) checkOperations(interval['operations']);
}

function checkOperations(operations: unknown): void {
  for (const entry of listOf(operations)) {
    checkWord('operation', entry['operation'], operationKinds);
  }
}

function listOf(value: unknown): readonly Raw[] {
  return Array.isArray(value) ? (value as Raw[]) : [];
}

function checkState(state: unknown): void {
  if (state !== undefined) checkWord('state', state, agentStates);
}

function checkWord(field: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value === 'string' && allowed.includes(value)) return;
  throw new DecodeError(`${field}: ${JSON.stringify(value)} is not one of ${allowed.join(', ')}`);
}

/** Field number in the first tag, a varint of at most five bytes; 0 when there is none. */
function firstFieldNumber(bytes: Uint8Array): number {
  let tag = 0;
  for (let index = 0; index < Math.min(bytes.length, 5); index += 1) {
    const byte = bytes[index] ?? 0;
    tag += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) break;
  }
  return Math.floor(tag / 8);
}
