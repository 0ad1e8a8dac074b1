import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { reasonOf } from '../../shared/kernel/errors.js';
import type { JournalRecord } from '../core/records.js';
import { decodeRecord } from './journal-codec.js';

export interface JournalRead {
  readonly records: number;
  /** One sentence per line that could not be used; empty for a journal that was closed properly. */
  readonly damage: readonly string[];
}

/**
 * Gives every record of a journal to `accept`, in order. A crash or a full disk can leave the last line torn: it is left
 * out and named in `damage`, as is any other line that cannot be read. Rejects with the system's error.
 */
export async function readJournal(
  path: string,
  accept: (record: JournalRecord) => void,
): Promise<JournalRead> {
  const damage: string[] = [];
  let records = 0;
  let lines = 0;
  let lastBad = 0;
  const file = await open(path, 'r');
  try {
    const whole = await endsWithNewline(file);
    for await (const line of file.readLines({ encoding: 'utf8', autoClose: false })) {
      lines += 1;
      const record = decode(line);
      if ('type' in record) {
        records += 1;
        accept(record);
      } else {
        lastBad = lines;
        damage.push(`journal line ${String(lines)} is damaged and left out (${record.reason})`);
      }
    }
    if (!whole && lastBad === lines && lines > 0) {
      damage.pop();
      damage.push('the last line of the journal is torn and left out');
    }
  } finally {
    await file.close();
  }
  return { records, damage };
}

function decode(line: string): JournalRecord | { readonly reason: string } {
  try {
    return decodeRecord(line);
  } catch (thrown) {
    return { reason: reasonOf(thrown) };
  }
}

async function endsWithNewline(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}
