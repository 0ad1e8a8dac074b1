import fs from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { codeOf, reasonOf } from '../../shared/kernel/errors.js';
import type { Log } from '../../shared/kernel/log.js';
import { isGone, processMark, scopeOfProcesses } from '../../shared/host/process-mark.js';

const memoryFolder = '/dev/shm';
/** What is made, for whom (a scope, a process and its start), and six characters of mkdtemp. */
const marked = /^muster-(?:runner|warm-up)-([0-9a-f]{12})-(\d+)-(\d+)-\w{6}$/u;

/**
 * A new folder that a process removes itself unless it is killed. Its name says which process that is, so that an agent
 * that starts later knows those that nobody needs any more.
 */
export function makeTemporaryFolder(what: 'runner' | 'warm-up'): string {
  const inMemory = what === 'warm-up' && fs.existsSync(memoryFolder);
  const parent = inMemory ? memoryFolder : os.tmpdir();
  const mark = processMark();
  const whose = mark ? [mark.scope, String(mark.pid), mark.start, ''] : [''];
  return fs.mkdtempSync(path.join(parent, ['muster', what, ...whose].join('-')));
}

/** Removes what processes left behind that are gone. Only this user's, and only where this process can know. */
export async function removeAbandonedFolders(log: Log): Promise<void> {
  const scope = scopeOfProcesses();
  if (scope === undefined) return;
  for (const parent of new Set([os.tmpdir(), memoryFolder])) {
    const names = await readdir(parent).catch(() => []);
    for (const name of names) {
      const [, madeIn, pid, start] = marked.exec(name) ?? [];
      if (madeIn !== scope || !isGone(Number(pid), start)) continue;
      await remove(path.join(parent, name), log);
    }
  }
}

async function remove(folder: string, log: Log): Promise<void> {
  try {
    const found = fs.lstatSync(folder);
    if (!found.isDirectory() || found.uid !== process.getuid?.()) return;
    await rm(folder, { recursive: true, force: true });
    log('info', `removed ${folder}, left behind by a process that was killed`);
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT') log('debug', `${folder} stays: ${reasonOf(thrown)}`);
  }
}
