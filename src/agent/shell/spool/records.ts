/**
 * A spool file is a sequence of records: `MSR1`, length of the content (4 bytes, little-endian), CRC-32 of the content
 * (4 bytes, little-endian), content. The first record of a file is its header (JSON); every other is a serialised
 * Payload. A record that was torn by a crash or damaged on the disk is left out, and reading goes on at the next mark.
 */
import { crc32 } from 'node:zlib';

const mark = Buffer.from('MSR1');
const headBytes = mark.length + 8;

export function encodeSpoolRecord(content: Uint8Array): Buffer {
  const record = Buffer.alloc(headBytes + content.length);
  mark.copy(record, 0);
  record.writeUInt32LE(content.length, 4);
  record.writeUInt32LE(crc32(content), 8);
  record.set(content, headBytes);
  return record;
}

export type SpoolRecord = { readonly content: Buffer } | { readonly damaged: true };

/** The records of a file in order; one `damaged` for each stretch of it that is none. */
export function* spoolRecords(file: Buffer): Generator<SpoolRecord> {
  let at = 0;
  while (at < file.length) {
    const content = recordAt(file, at);
    if (content) {
      yield { content };
      at += headBytes + content.length;
      continue;
    }
    yield { damaged: true };
    do at = file.indexOf(mark, at + 1);
    while (at >= 0 && !recordAt(file, at));
    if (at < 0) return;
  }
}

function recordAt(file: Buffer, at: number): Buffer | undefined {
  if (at + headBytes > file.length || !file.subarray(at, at + mark.length).equals(mark)) {
    return undefined;
  }
  const end = at + headBytes + file.readUInt32LE(at + 4);
  if (end > file.length) return undefined;
  const content = file.subarray(at + headBytes, end);
  return crc32(content) === file.readUInt32LE(at + 8) ? content : undefined;
}

/** First record of every file: whose it is. */
export interface SpoolHeader {
  readonly schema: 1;
  readonly runId: string;
  /** SHA-256 of the run's secret, hex: who presents the secret may read. */
  readonly secretSha256: string;
  readonly identity: string;
  /** Of the agent process that writes. */
  readonly instanceId: string;
}

/** Undefined when it is none that this version understands. */
export function decodeHeader(content: Buffer): SpoolHeader | undefined {
  let json: unknown;
  try {
    json = JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const { schema, ...texts } = json as Record<string, unknown>;
  const wanted = ['runId', 'secretSha256', 'identity', 'instanceId'];
  if (schema !== 1 || !wanted.every((name) => typeof texts[name] === 'string')) return undefined;
  return json as SpoolHeader;
}
