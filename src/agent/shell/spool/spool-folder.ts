import {
  access,
  chmod,
  constants,
  lstat,
  open,
  readdir,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { KeptCheckpoint } from '../../../shared/model/messages.js';
import { codeOf } from '../../../shared/kernel/errors.js';
import { makeFolders } from '../../../shared/host/make-folders.js';
import { decodeHeader, spoolRecords } from './records.js';
import type { SpoolHeader } from './records.js';

const ending = '.spool';
/** Names come from the network, but not long ones. */
const mostHeaderBytes = 16 * 1024;

/** What is kept of one run: its files in the order in which they were written. */
export interface Kept extends KeptCheckpoint {
  readonly secretSha256: string;
  readonly files: readonly string[];
}

/**
 * Where an agent keeps its spool by default: the system's folder for the data of running programs, or else for
 * temporary files; the best first. `own`: this agent's part of it.
 */
export function defaultSpoolFolders(env: NodeJS.ProcessEnv, uid: number, own: string): string[] {
  const runtime = env['XDG_RUNTIME_DIR'];
  const folders = [path.join(tmpdir(), `muster-${String(uid)}-${own}`)];
  if (uid === 0) folders.unshift(path.join('/run/muster', own));
  if (runtime !== undefined && path.isAbsolute(runtime)) {
    folders.unshift(path.join(runtime, 'muster', own));
  }
  return folders;
}

/**
 * Makes it, for this user only.
 * @returns false: it was there
 * @throws an error with the reason when it cannot be used, or is somebody else's
 */
export async function makeSpoolFolder(folder: string, uid: number): Promise<boolean> {
  const made = await makeFolders(folder, 0o700);
  const found = await lstat(folder);
  if (!found.isDirectory()) throw new Error('it is not a folder');
  if (found.uid !== uid) throw new Error('it belongs to another user');
  if ((found.mode & 0o077) !== 0) await chmod(folder, 0o700);
  await access(folder, constants.W_OK | constants.X_OK);
  return made;
}

export function spoolFileName(runId: string, instanceId: string, number: number): string {
  // The run id comes from the network: nothing of it may lead to another folder.
  const safe = runId.replace(/[^A-Za-z0-9-]/g, '_').slice(0, 40);
  return `${safe}.${instanceId}.${String(number).padStart(6, '0')}${ending}`;
}

/** As `spoolFileName` makes them. */
const ours = /^[\w-]{1,40}\.[\w-]+\.\d{6}\.spool$/;

/**
 * What the folder holds, oldest first. A file that is none of ours, or that cannot be read (`onUnreadable`), is left alone.
 * So is one of ours without a head, or with a damaged one, until it is older than `oldestUnixMs`: nobody can ask for it.
 * (An agent that was killed on a full disk leaves an empty one; another agent may have just made it.)
 */
export async function listSpool(
  folder: string,
  oldestUnixMs: number,
  onUnreadable: (file: string, thrown: unknown) => void,
): Promise<Kept[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(ending)).sort();
  const kept = new Map<string, Kept>();
  for (const name of names) {
    const file = path.join(folder, name);
    const found = await keptFile(file).catch((thrown: unknown) => {
      onUnreadable(file, thrown);
      return undefined;
    });
    if (!found) continue;
    const { header, size, mtimeMs } = found;
    if (!header) {
      if (ours.test(name) && mtimeMs <= oldestUnixMs) {
        await removeSpoolFile(file).catch((thrown: unknown) => {
          onUnreadable(file, thrown);
        });
      }
      continue;
    }
    const key = `${header.runId} ${header.instanceId}`;
    const before = kept.get(key);
    kept.set(key, {
      runId: header.runId,
      identity: header.identity,
      instanceId: header.instanceId,
      secretSha256: header.secretSha256,
      savedUnixMs: Math.max(before?.savedUnixMs ?? 0, Math.round(mtimeMs)),
      bytes: (before?.bytes ?? 0) + size,
      files: [...(before?.files ?? []), file],
    });
  }
  return [...kept.values()].sort((a, b) => a.savedUnixMs - b.savedUnixMs);
}

/** When its newest file was written to last: an agent that shares the folder may still be at it. */
export async function savedUnixMs({ files, savedUnixMs: known }: Kept): Promise<number> {
  const times = files.map(async (file) => {
    // One that is gone, or cannot be looked at, has no say.
    const found = await stat(file).catch(() => undefined);
    return Math.round(found?.mtimeMs ?? 0);
  });
  return Math.max(known, ...(await Promise.all(times)));
}

/** Not with `rm`: that takes what may not be removed for a folder, and says so. Rejects with the system's error. */
export async function removeSpoolFile(file: string): Promise<void> {
  await unlink(file).catch((thrown: unknown) => {
    if (codeOf(thrown) !== 'ENOENT') throw thrown;
  });
}

export async function removeKept({ files }: Kept): Promise<void> {
  for (const file of files) await removeSpoolFile(file);
}

/** For the last moment: a folder that still holds something, or cannot be removed, stays. */
export async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch(() => undefined);
}

async function keptFile(
  file: string,
): Promise<{ header: SpoolHeader | undefined; size: number; mtimeMs: number }> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(mostHeaderBytes), 0);
    const [first] = spoolRecords(buffer.subarray(0, bytesRead));
    const header = first && 'content' in first ? decodeHeader(first.content) : undefined;
    const { size, mtimeMs } = await handle.stat();
    return { header, size, mtimeMs };
  } finally {
    await handle.close();
  }
}
