/** Which process something belongs to, so that others can know whether it is still there. Linux. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { codeOf } from '../kernel/errors.js';

export interface ProcessMark {
  readonly scope: string;
  readonly pid: number;
  readonly start: string;
}

/** Of this process; undefined when the system does not say. */
export function processMark(): ProcessMark | undefined {
  const scope = scopeOfProcesses();
  const start = startOf(process.pid);
  if (scope === undefined || start === undefined) return undefined;
  return { scope, pid: process.pid, start };
}

/**
 * Where a process id and a start mean the same: this boot, these processes (a container has its own), this clock.
 * Undefined when the system does not say.
 */
export function scopeOfProcesses(): string | undefined {
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

export function isGone(pid: number, start: string | undefined): boolean {
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
