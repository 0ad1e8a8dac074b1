import { open, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../shared/kernel/clock.js';
import { codeOf, MusterError } from '../../shared/kernel/errors.js';
import { exitCodes } from '../../shared/model/outcome.js';
import { isGone, processMark } from '../../shared/host/process-mark.js';
import { replaceFile } from './replace-file.js';

const fileName = 'run.secret';
const ownerOnly = 0o600;
/** A run that goes on writes to its journal every second: it is watched for so long, and looked at so often. */
const watchMs = 5_000;
const lookMs = 500;

/** What proves to the agents that somebody may speak for the run, and which process does so at present. */
export interface RunSecret {
  readonly runId: string;
  readonly secret: string;
  readonly host: string;
  readonly pid: number;
  /** Where that number is of one process, and which; absent where the system does not say. */
  readonly scope?: string | undefined;
  readonly start?: string | undefined;
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
  const content: RunSecret = {
    ...{ runId, secret, host: hostname(), pid: process.pid },
    ...processMark(),
  };
  return `${JSON.stringify(content)}\n`;
}

/** Undefined: it is not kept (any more). Rejects with the system's error. */
export async function readSecret(folder: string): Promise<RunSecret | undefined> {
  try {
    const json = JSON.parse(await readFile(join(folder, fileName), 'utf8')) as Partial<RunSecret>;
    const { runId, secret, host, pid, scope, start } = json;
    if (typeof runId !== 'string' || typeof secret !== 'string') return undefined;
    return { runId, secret, host: host ?? '', pid: pid ?? 0, scope, start };
  } catch (thrown) {
    if (thrown instanceof SyntaxError || codeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

export async function forgetSecret(folder: string): Promise<void> {
  await rm(join(folder, fileName), { force: true });
}

/**
 * Does the process that drives the run still do so? Undefined: that is known elsewhere, which is another host, another
 * container, or this host before its reboot: the number may be another's here.
 */
export function isDriven({ host, pid, scope, start }: RunSecret): boolean | undefined {
  if (host !== hostname()) return undefined;
  const here = processMark()?.scope;
  if (scope !== undefined && here !== undefined) {
    return scope === here ? !isGone(pid, start) : undefined;
  }
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return codeOf(thrown) === 'EPERM';
  }
}

/** For `report`, which would say of a run that goes on that it was interrupted. @throws MusterError 2 */
export async function demandOver(folder: string, clock: Clock): Promise<void> {
  const kept = await readSecret(folder).catch(leaveToJournal);
  if (kept === undefined || isDriven(kept) === false) return;
  const goesOn = await isWritten(join(folder, 'journal.ndjson'), clock).catch(leaveToJournal);
  if (goesOn !== true) return;
  throw new MusterError(
    `The run in ${folder} goes on: process ${String(kept.pid)} on ${kept.host} drives or recovers it`,
    {
      exitCode: exitCodes.usage,
      hint: 'It writes all files at its end; --ui shows it until then.',
    },
  );
}

/** A folder that is none is told of when its journal is read, and who may not read the secret can still report. */
function leaveToJournal(thrown: unknown): undefined {
  if (codeOf(thrown) === undefined) throw thrown;
}

/**
 * Is it being written to? Seen by what changes, and not by its date: the clocks of two hosts need not agree. Rejects with
 * the system's error.
 */
export async function isWritten(journal: string, clock: Clock): Promise<boolean> {
  const before = await look(journal);
  for (let waitedMs = 0; waitedMs < watchMs; waitedMs += lookMs) {
    await new Promise<void>((resolve) => clock.after(lookMs, resolve));
    const { size, mtimeMs } = await look(journal);
    if (size !== before.size || mtimeMs !== before.mtimeMs) return true;
  }
  return false;
}

/** Opened each time: a network file system answers from memory otherwise. */
async function look(path: string) {
  const file = await open(path, 'r');
  try {
    return await file.stat();
  } finally {
    await file.close();
  }
}
