import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { codeOf, reasonOf } from '../../shared/kernel/errors.js';
import type { Log } from '../../shared/kernel/log.js';

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
  const scope = scopeOfProcesses();
  const start = startOf(process.pid);
  const mark = typeof start === 'string' && scope ? [scope, String(process.pid), start, ''] : [''];
  return fs.mkdtempSync(path.join(parent, ['muster', what, ...mark].join('-')));
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

/**
 * Where a process id and a start mean the same: this boot, these processes (a container has its own), this clock.
 * Undefined when the system does not say.
 */
function scopeOfProcesses(): string | undefined {
  try {
    // Seen from here, /proc may be of other processes than these.
    if (fs.readlinkSync('/proc/self') !== String(process.pid)) return undefined;
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    const processes = fs.readlinkSync('/proc/self/ns/pid');
    const clock = fs.existsSync('/proc/self/ns/time') ? fs.readlinkSync('/proc/self/ns/time') : '';
    return createHash('sha256').update([boot, processes, clock].join()).digest('hex').slice(0, 12);
  } catch {
    return undefined;
  }
}

function isGone(pid: number, start: string | undefined): boolean {
  const found = startOf(pid);
  return found === 'gone' || (found !== undefined && found !== start);
}

/** When a process started, in ticks of its boot; `gone`: there is none, or it has ended. Undefined: not known. */
function startOf(pid: number): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    // The second field, the name, may hold spaces and parentheses.
    const [state = '', ...more] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return 'ZX'.includes(state) ? 'gone' : more[18];
  } catch (thrown) {
    return codeOf(thrown) === 'ENOENT' ? 'gone' : undefined;
  }
}
