import { open, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../../shared/kernel/errors.js';
import { replaceFile } from './replace-file.js';

const fileName = 'run.secret';
const ownerOnly = 0o600;

/** What proves to the agents that somebody may speak for the run, and which process does so at present. */
export interface RunSecret {
  readonly runId: string;
  readonly secret: string;
  readonly host: string;
  readonly pid: number;
}

/**
 * Puts the run's secret next to its results, readable for this user only, so that `recover` can speak to its agents
 * after a crash. Rejects with the system's error.
 */
export async function keepSecret(folder: string, runId: string, secret: string): Promise<void> {
  const file = await open(join(folder, fileName), 'wx', ownerOnly);
  try {
    await file.writeFile(contentOf(runId, secret));
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** This process speaks for the run from now on. Rejects with the system's error. */
export async function takeSecret(folder: string, runId: string, secret: string): Promise<void> {
  await replaceFile(join(folder, fileName), contentOf(runId, secret), ownerOnly);
}

function contentOf(runId: string, secret: string): string {
  const content: RunSecret = { runId, secret, host: hostname(), pid: process.pid };
  return `${JSON.stringify(content)}\n`;
}

/** Undefined: it is not kept (any more). Rejects with the system's error. */
export async function readSecret(folder: string): Promise<RunSecret | undefined> {
  try {
    const json = JSON.parse(await readFile(join(folder, fileName), 'utf8')) as Partial<RunSecret>;
    const { runId, secret, host, pid } = json;
    if (typeof runId !== 'string' || typeof secret !== 'string') return undefined;
    return { runId, secret, host: host ?? '', pid: pid ?? 0 };
  } catch (thrown) {
    if (thrown instanceof SyntaxError || codeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

export async function forgetSecret(folder: string): Promise<void> {
  await rm(join(folder, fileName), { force: true });
}

/** Does the process that drives the run still do so? Undefined: that is known on another host. */
export function isDriven({ host, pid }: RunSecret): boolean | undefined {
  if (host !== hostname()) return undefined;
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return codeOf(thrown) === 'EPERM';
  }
}
