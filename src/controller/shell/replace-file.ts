import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file so that a crash at any time leaves either the old content or the new: to a neighbour, flushed, renamed,
 * and the folder flushed. `chunks` are written one after the other, so a large file need not be in memory at once.
 * Rejects with the system's error; the neighbour is then removed.
 */
export async function replaceFile(
  path: string,
  chunks: string | Iterable<string> | AsyncIterable<string>,
  mode = 0o644,
): Promise<void> {
  const neighbour = neighbourOf(path);
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
    await rename(neighbour, path);
    await flushFolder(dirname(path));
  } catch (thrown) {
    await rm(neighbour, { force: true }).catch(() => undefined);
    throw thrown;
  }
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
