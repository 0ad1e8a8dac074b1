import { readFileSync } from 'node:fs';
import os from 'node:os';
import { mountOf } from '../core/mounts.js';
import type { Mount } from '../core/mounts.js';

/** What the results say about a host; `host` of Welcome, as JSON. */
export interface HostFacts {
  readonly hostname: string;
  readonly platform: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly cpuModel: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly node: string;
  /** The same for all agents of one machine, undefined where there is none. */
  readonly machineId: string | undefined;
  readonly roots: readonly RootFacts[];
}

export interface RootFacts {
  readonly path: string;
  readonly mount: Mount | undefined;
}

/**
 * Read once, at the start. Only the kernel's own files are read, nothing below a root: a hung mount must not stop the
 * agent from answering.
 */
export function readHostFacts(roots: readonly string[]): HostFacts {
  const cpus = os.cpus();
  const mounts = readIfThere('/proc/self/mountinfo') ?? '';
  return {
    hostname: os.hostname(),
    platform: os.platform(),
    kernel: os.release(),
    architecture: os.arch(),
    cpuModel: cpus[0]?.model.trim() ?? 'unknown',
    cpus: cpus.length,
    memoryBytes: os.totalmem(),
    node: process.version,
    machineId: readIfThere('/etc/machine-id')?.trim(),
    roots: roots.map((path) => ({ path, mount: mountOf(path, mounts) })),
  };
}

/** Identifies this boot of this machine. Where the kernel gives no id: host name and second of the boot. */
export function readBootId(unixMs: number): string {
  const id = readIfThere('/proc/sys/kernel/random/boot_id')?.trim();
  return id ?? `${os.hostname()}@${String(Math.round(unixMs / 1000 - os.uptime()))}`;
}

/** Undefined where the system has no such file. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
