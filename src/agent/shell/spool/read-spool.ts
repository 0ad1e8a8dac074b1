import { readFile } from 'node:fs/promises';
import { spoolRecords } from './records.js';

const batchBytes = 256 * 1024;

/** Some payloads of a spool in order, and how many stretches before them could not be read. */
export interface SpoolBatch {
  readonly payloads: readonly Uint8Array[];
  readonly damaged: number;
}

/** The payloads in a run's spool files, in batches of about 256 KiB. Throws the system's error. */
export async function* readSpool(files: readonly string[]): AsyncGenerator<SpoolBatch> {
  for (const file of files) {
    let payloads: Uint8Array[] = [];
    let bytes = 0;
    let damaged = 0;
    let isHeader = true;
    for (const record of spoolRecords(await readFile(file))) {
      if ('damaged' in record) damaged += 1;
      else if (!isHeader) {
        payloads.push(record.content);
        bytes += record.content.length;
      }
      isHeader = false;
      if (bytes < batchBytes) continue;
      yield { payloads, damaged };
      payloads = [];
      bytes = 0;
      damaged = 0;
    }
    yield { payloads, damaged };
  }
}
