import fs from 'node:fs/promises';
import { codeOf } from '../../shared/kernel/errors.js';
import { churnFolder } from './dataset-layout.js';
import { Aborted, failureFrom } from './failure.js';
import { isRealFolder } from './files-job.js';

const batchSize = 64;

/** A name of ours that somebody has put something into, or made something else of. */
const foreignCodes: ReadonlySet<string | undefined> = new Set([
  'ENOTEMPTY',
  'EEXIST',
  'EISDIR',
  'ENOTDIR',
]);

/**
 * Removes what stages of the agent have made and not removed: in `churn/<agent>/<lane>/` only entries of the names
 * that Muster gives, so that whatever else lies there stays, also in a folder that `mkdir` made.
 */
export async function removeChurn(agent: number, signal: AbortSignal): Promise<number> {
  const home = `${churnFolder}/${String(agent)}`;
  if (!isRealFolder(home)) return 0;
  let removed = 0;
  try {
    for (const lane of await fs.readdir(home)) {
      const folder = `${home}/${lane}`;
      if (!/^\d+$/u.test(lane) || !isRealFolder(folder)) continue;
      removed += await empty(folder, signal);
      await removeIfEmpty(folder);
    }
    await removeIfEmpty(home);
    await removeIfEmpty(churnFolder);
  } catch (error) {
    // It is in nobody's way: no stage can make anything there.
    if (codeOf(error) === 'EROFS') return removed;
    throw failureFrom(error, `cannot remove what an earlier stage left in ${home}`);
  }
  return removed;
}

/** Again and again until nothing of ours is left: what a folder lists while it is emptied need not be all of it. */
async function empty(folder: string, signal: AbortSignal): Promise<number> {
  for (let removed = 0; ;) {
    const before = removed;
    let batch: string[] = [];
    for await (const { name } of await fs.opendir(folder, { bufferSize: batchSize })) {
      if (!/^[pd]\d+$/u.test(name)) continue;
      batch.push(name);
      if (batch.length < batchSize) continue;
      removed += await removeAll(folder, batch, signal);
      batch = [];
    }
    removed += await removeAll(folder, batch, signal);
    if (removed === before) return removed;
  }
}

async function removeAll(
  folder: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  if (signal.aborted) throw new Aborted();
  const gone = await Promise.all(names.map((name) => removeOne(`${folder}/${name}`, name)));
  return gone.filter(Boolean).length;
}

async function removeOne(entry: string, name: string): Promise<boolean> {
  try {
    await (name.startsWith('p') ? fs.unlink(entry) : fs.rmdir(entry));
    return true;
  } catch (error) {
    if (foreignCodes.has(codeOf(error))) return false;
    throw error;
  }
}

/** @returns whether the folder is gone */
export async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await fs.rmdir(folder);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return true;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}
