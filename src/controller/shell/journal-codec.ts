/**
 * JournalRecord ↔ one line of journal.ndjson. JSON knows neither bytes nor 64-bit integers: byte fields become base64,
 * bigints decimal strings, and come back as they were. A property that is undefined is left out.
 */
import type { Interval, OperationStats, StageResult } from '../../shared/model/messages.js';
import type { JournalRecord } from '../core/records.js';

type Json = Readonly<Record<string, unknown>>;

function operationToJson(operation: OperationStats): Json {
  return {
    ...operation,
    service: base64(operation.service),
    response: base64(operation.response),
    failed: base64(operation.failed),
  };
}

function operationFromJson(json: Json): OperationStats {
  return {
    ...(json as unknown as OperationStats),
    service: bytes(json['service']),
    response: bytes(json['response']),
    failed: bytes(json['failed']),
  };
}

function base64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}

function bytes(text: unknown): Uint8Array {
  if (typeof text !== 'string') throw new TypeError('a histogram is missing');
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function integer(text: unknown): bigint {
  if (typeof text !== 'string') throw new TypeError('a 64-bit number is missing');
  return BigInt(text);
}

function toJson(record: JournalRecord): Json {
  switch (record.type) {
    case 'clock':
      return { ...record, clock: { ...record.clock, offsetNs: String(record.clock.offsetNs) } };
    case 'stageStart':
      return { ...record, t0Ns: String(record.t0Ns) };
    case 'interval': {
      const operations = record.interval.operations.map(operationToJson);
      return { ...record, interval: { ...record.interval, operations } };
    }
    case 'stageResult': {
      const { result } = record;
      return {
        ...record,
        result: {
          ...result,
          atNs: String(result.atNs),
          firstOperationNs: String(result.firstOperationNs),
          lastOperationNs: String(result.lastOperationNs),
          endedNs: String(result.endedNs),
          operations: result.operations.map(operationToJson),
          warmup: result.warmup.map(operationToJson),
          syncs: base64(result.syncs),
        },
      };
    }
    default:
      return record;
  }
}

/** The record's line, without the line end. */
export function encodeRecord(record: JournalRecord): string {
  return JSON.stringify(toJson(record));
}

/** Throws a SyntaxError or TypeError when the line is not a record that encodeRecord wrote. */
export function decodeRecord(line: string): JournalRecord {
  const json = JSON.parse(line) as Json | null;
  if (typeof json !== 'object' || json === null || typeof json['type'] !== 'string') {
    throw new TypeError('not a journal record');
  }
  const record = json as unknown as JournalRecord;
  switch (record.type) {
    case 'clock':
      return { ...record, clock: { ...record.clock, offsetNs: integer(record.clock.offsetNs) } };
    case 'stageStart':
      return { ...record, t0Ns: integer(record.t0Ns) };
    case 'interval':
      return { ...record, interval: withOperations<Interval>(record.interval) };
    case 'stageResult': {
      const result = withOperations<StageResult>(record.result);
      return {
        ...record,
        result: {
          ...result,
          warmup: operationsFromJson(result.warmup),
          atNs: integer(result.atNs),
          firstOperationNs: integer(result.firstOperationNs),
          lastOperationNs: integer(result.lastOperationNs),
          // Journals of older versions have neither.
          syncs: 'syncs' in result ? bytes(result.syncs) : new Uint8Array(),
          endedNs: 'endedNs' in result ? integer(result.endedNs) : 0n,
        },
      };
    }
    default:
      return record;
  }
}

function withOperations<T extends { readonly operations: readonly OperationStats[] }>(from: T): T {
  return { ...from, operations: operationsFromJson(from.operations) };
}

/** @param parsed as JSON.parse gave them */
function operationsFromJson(parsed: readonly OperationStats[]): readonly OperationStats[] {
  return (parsed as unknown as readonly Json[]).map(operationFromJson);
}
