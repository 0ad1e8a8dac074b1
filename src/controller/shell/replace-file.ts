import { open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Neighbours that are being written. */
const underWay = new Set<string>();
/** Folders in which nothing is replaced any more. */
const left = new Set<string>();
const never = new Promise<never>(() => undefined);

/**
 * Writes a file so that a crash at any time leaves either the old content or the new: to a neighbour, flushed, renamed,
 * and the folder flushed. `chunks` are written one after the other, so a large file need not be in memory at once.
 * Rejects with the system's error; the neighbour is then removed. Never settles in a folder that was left.
 */
export async function replaceFile(
  path: string,
  chunks: string | Iterable<string> | AsyncIterable<string>,
  mode = 0o644,
): Promise<void> {
  const neighbour = neighbourOf(path);
  const folder = dirname(resolve(path));
  if (left.has(folder)) return never;
  underWay.add(neighbour);
  try {
    const file = await open(neighbour, 'w', mode);
    try {
      // appendFile, not write: it goes on after a short write.
      for await (const chunk of typeof chunks === 'string' ? [chunks] : chunks) {
        await file.appendFile(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (left.has(folder)) return await never;
    await rename(neighbour, path);
    await flushFolder(folder);
  } catch (thrown) {
    if (left.has(folder)) return await never;
    await rm(neighbour, { force: true }).catch(() => undefined);
    throw thrown;
  } finally {
    underWay.delete(neighbour);
  }
}

/** The process is about to end, whatever was being written into this folder: no half of it stays. */
export async function leaveFolder(folder: string): Promise<void> {
  const within = resolve(folder);
  left.add(within);
  const unfinished = [...underWay].filter((path) => dirname(resolve(path)) === within);
  await Promise.all(unfinished.map((path) => rm(path, { force: true }).catch(() => undefined)));
}

/** Where new content waits; of this process, for two may replace a file at once, as two operators who report the same run. */
export function neighbourOf(path: string): string {
  return `${path}.${String(process.pid)}.tmp`;
}

/** Makes a rename or a new name in the folder durable. */
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
