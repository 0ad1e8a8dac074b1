import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { codeOf, reasonOf } from '../../shared/kernel/errors.js';

const run = promisify(execFile);

/** Processes at once. */
const parallel = 4;
/** Names on one command line. */
const namesAtOnce = 500;

export interface DroppedCache {
  /** For the results: what was done. */
  readonly words: string;
  readonly warnings: readonly string[];
}

/**
 * Takes files out of this host's page cache. Node has no posix_fadvise: coreutils' dd does it (`iflag=nocache` with
 * `count=0` is POSIX_FADV_DONTNEED for the whole file). The kernel keeps pages that are dirty, so data is forced out
 * first, and pages that others hold; how much has stayed is asked of util-linux's fincore, where there is one.
 */
export async function dropCache(
  files: readonly string[],
  signal: AbortSignal,
): Promise<DroppedCache> {
  const failures: string[] = [];
  const queue = files.values();
  const work = async (): Promise<void> => {
    for (const file of queue) {
      if (signal.aborted) return;
      try {
        await drop(file);
      } catch (error) {
        failures.push(`${file}: ${isMissing(error) ? 'this host has no dd' : reasonOf(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  const dropped = `${String(files.length - failures.length)} of ${String(files.length)} files dropped from the page cache`;
  const warnings = failures
    .slice(0, 1)
    .map(
      (first) => `drop_cache: ${String(failures.length)} files stay in the page cache; ${first}`,
    );
  const left = await cachedBytes(files, signal);
  if (left === undefined) return { words: `${dropped}, not checked: no fincore`, warnings };
  return { words: `${dropped}, ${String(left)} bytes of them still in it`, warnings };
}

async function drop(file: string): Promise<void> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await run('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);
}

/** The program, not a file it works on. */
function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' && error instanceof Error && error.message.startsWith('spawn ');
}

/** undefined when it cannot be told. */
async function cachedBytes(
  files: readonly string[],
  signal: AbortSignal,
): Promise<number | undefined> {
  let sum = 0;
  for (let from = 0; from < files.length && !signal.aborted; from += namesAtOnce) {
    const names = files.slice(from, from + namesAtOnce);
    try {
      const { stdout } = await run('fincore', [
        '--bytes',
        '--noheadings',
        '--output',
        'RES',
        ...names,
      ]);
      for (const line of stdout.split('\n')) sum += Number(line.trim());
    } catch {
      return undefined;
    }
  }
  return sum;
}
