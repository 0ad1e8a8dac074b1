import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { codeOf, reasonOf } from '../../shared/kernel/errors.js';
import { counted } from '../../shared/kernel/counted.js';

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

/** Writing 3 to it drops the clean pages, directory entries and inodes of the whole host; root may. */
export const kernelSwitch = '/proc/sys/vm/drop_caches';

/**
 * Takes files out of this host's page cache. Node has no posix_fadvise: coreutils' dd does it (`iflag=nocache` with
 * `count=0` is POSIX_FADV_DONTNEED for the whole file). The kernel keeps pages that are dirty, so data is forced out
 * first, and pages that others hold; how much has stayed is asked of util-linux's fincore, where there is one.
 * @param hostSwitch `kernelSwitch`, where the host's operator lets runs drop everybody's cache: tried first
 */
export async function dropCache(
  files: readonly string[],
  signal: AbortSignal,
  hostSwitch?: string,
): Promise<DroppedCache> {
  const problem = hostSwitch === undefined ? undefined : await dropAll(hostSwitch, signal);
  const { words, warnings } =
    hostSwitch !== undefined && problem === undefined
      ? { words: "the host's page cache dropped by the kernel's switch", warnings: [] }
      : await dropEach(files, signal);
  const left = await cachedBytes(files, signal);
  const checked =
    left === undefined ? 'not checked: no fincore' : `${String(left)} bytes of them still in it`;
  return {
    words: `${words}, ${checked}`,
    warnings: [
      ...(problem === undefined ? [] : [`drop_cache: file by file, because ${problem}`]),
      ...warnings,
    ],
  };
}

/** @returns why it could not be done */
async function dropAll(hostSwitch: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    await run('sync', [], { signal });
  } catch (error) {
    return `sync failed (${isMissing(error) ? 'this host has none' : reasonOf(error)})`;
  }
  try {
    // Never made: where the kernel has no such switch, nothing is to look as if it had.
    await writeFile(hostSwitch, '3', { flag: 'r+' });
    return undefined;
  } catch (error) {
    return `${hostSwitch} cannot be written (${reasonOf(error)})`;
  }
}

async function dropEach(files: readonly string[], signal: AbortSignal): Promise<DroppedCache> {
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
  const warnings = failures
    .slice(0, 1)
    .map(
      (first) =>
        `drop_cache: ${counted(failures.length, 'file stays', 'files stay')} in the page cache; ${first}`,
    );
  const dropped = String(files.length - failures.length);
  const all = counted(files.length, 'file');
  return { words: `${dropped} of ${all} dropped from the page cache`, warnings };
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
