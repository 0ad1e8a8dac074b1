/**
 * Which run uses an agent's part of a dataset now: a mark beside its files, renewed while its workload process lives, so
 * that a second run, through other agents, does not work on the same files. One mark per agent: the agents of a run are
 * not in each other's way in a shared dataset.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Cancel, Clock } from '../../shared/kernel/clock.js';
import { codeOf } from '../../shared/kernel/errors.js';
import type { Assignment } from '../../shared/model/assignment.js';
import { waitUntil } from '../core/wait-until.js';
import { readOwn } from './dataset-files.js';
import { leaseName } from './dataset-layout.js';
import { Aborted, RunnerFailure } from './failure.js';
import { isGone, processMark } from '../../shared/host/process-mark.js';
import { removeFile } from './remove-file.js';
import type { RunnerParts } from './runner-parts.js';

/** The workload process of a run that is over may take this long to be gone. */
const patienceMs = 5_000;
const lookEveryMs = 250;
/** Marks are renewed so often in their time. */
const renewals = 5;
const { O_WRONLY, O_NOFOLLOW } = fs.constants;

const holderSchema = z.object({
  runId: z.string(),
  creator: z.string(),
  host: z.string(),
  scope: z.string(),
  pid: z.int(),
  start: z.string(),
  leaseMs: z.number(),
});
type Holder = z.infer<typeof holderSchema>;

/** This run's mark in the working directory. */
export class DatasetLease {
  readonly #name: string;
  readonly #text: string;
  #cancel: Cancel = () => undefined;
  #isRenewing = false;

  constructor(name: string, holder: Holder, clock: Clock) {
    this.#name = name;
    this.#text = textOf(holder);
    const renew = (): void => {
      this.#cancel = clock.after(holder.leaseMs / renewals, () => {
        // Not waited for: storage that hangs must not hold up who watches the load.
        void this.#renew();
        renew();
      });
    };
    renew();
  }

  /** Another run may use the dataset. */
  release(): void {
    this.#cancel();
    try {
      if (readOwn(this.#name) === this.#text) fs.unlinkSync(this.#name);
    } catch {
      // It is gone, or cannot be removed: it counts no longer once this process is gone, or has not renewed it.
    }
  }

  /** The time of its last change is what counts, as the server of the files has it. */
  async #renew(): Promise<void> {
    // On storage that hangs each renewal would keep a thread of libuv's pool, until none is left.
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    try {
      const file = await open(this.#name, O_WRONLY | O_NOFOLLOW);
      try {
        await file.write(this.#text, 0);
      } finally {
        await file.close();
      }
    } catch {
      // Removed by somebody: nothing to be done about it in the middle of a stage.
    } finally {
      this.#isRenewing = false;
    }
  }
}

/**
 * Marks the working directory as used by this run. Undefined where that cannot be done: a file system that is mounted
 * read-only serves all the same.
 * @throws RunnerFailure when another run uses it; Aborted
 */
export async function leaseDataset(
  { clock, signal, emit }: Pick<RunnerParts, 'clock' | 'signal' | 'emit'>,
  assignment: Assignment,
  folder: string,
): Promise<DatasetLease | undefined> {
  const mark = processMark();
  if (mark === undefined) return undefined;
  const name = leaseName(assignment.agentIndex);
  const { runId, creator, timeouts } = assignment;
  const holder = { runId, creator, host: os.hostname(), ...mark, leaseMs: timeouts.leaseMs };
  const untilNs = clock.nowNs() + BigInt(patienceMs) * 1_000_000n;
  for (;;) {
    const found = readHolder('.', assignment);
    if (found === undefined || !isLive(found, '.', name)) {
      const outcome = claimOver(name, holder);
      if (outcome === 'impossible') return undefined;
      if (outcome === 'taken') continue;
      if (found !== undefined) {
        const line = `took over what run ${found.runId} of ${found.creator} left in ${folder}`;
        emit({ kind: 'log', level: 'info', line });
      }
      return new DatasetLease(name, holder, clock);
    }
    const nowNs = clock.nowNs();
    if (nowNs >= untilNs) throw new RunnerFailure('dataset', inUse(folder, found));
    const next = nowNs + BigInt(lookEveryMs) * 1_000_000n;
    if ((await waitUntil(clock, next, signal)) === 'cancelled') throw new Aborted();
  }
}

/** What a preflight says of a folder that another run uses. */
export function usedByAnother(folder: string, assignment: Assignment): string | undefined {
  const found = readHolder(folder, assignment);
  const isUsed = found !== undefined && isLive(found, folder, leaseName(assignment.agentIndex));
  return isUsed ? inUse(folder, found) : undefined;
}

function inUse(folder: string, { runId, creator, host, scope, leaseMs }: Holder): string {
  const seconds = String(Math.round(leaseMs / 1000));
  const unknown = isHere(scope) ? '' : ` (${seconds}s, should that host have died)`;
  return `${folder} is in use by run ${runId} of ${creator} on host ${host}: wait until it is over${unknown}, or use another dataset name`;
}

/** Undefined: nobody's, this run's, or one that cannot be read. */
function readHolder(folder: string, { agentIndex, runId }: Assignment): Holder | undefined {
  try {
    const text = readOwn(path.join(folder, leaseName(agentIndex)));
    const { data } = holderSchema.safeParse(JSON.parse(text ?? ''));
    return data?.runId === runId ? undefined : data;
  } catch {
    return undefined;
  }
}

/**
 * Where its process can be seen a mark counts as long as that is there. From elsewhere that cannot be known: there it
 * counts until it has not been renewed for its time. Elsewhere is also this host before its reboot, or a container of
 * the same name: many hosts are called localhost.
 */
function isLive({ scope, pid, start, leaseMs }: Holder, folder: string, name: string): boolean {
  if (isHere(scope)) return !isGone(pid, start);
  try {
    return timeOf(folder) - fs.statSync(path.join(folder, name)).mtimeMs < leaseMs;
  } catch {
    return false;
  }
}

function isHere(scope: string): boolean {
  return scope === processMark()?.scope;
}

/** Now, on the clock that the times of files are of: a server's is not this host's. */
function timeOf(folder: string): number {
  const name = path.join(folder, `.muster-probe-${randomBytes(6).toString('hex')}`);
  fs.writeFileSync(name, '', { flag: 'wx' });
  try {
    return fs.statSync(name).mtimeMs;
  } finally {
    fs.unlinkSync(name);
  }
}

/** What lies there counts no more. */
function claimOver(name: string, holder: Holder): ReturnType<typeof claim> {
  const first = claim(name, holder);
  if (first !== 'taken') return first;
  try {
    removeFile(name);
  } catch {
    return 'impossible';
  }
  return claim(name, holder);
}

/** `taken`: somebody was faster, and is found at the next look. `impossible`: nothing can be written here. */
function claim(name: string, holder: Holder): 'done' | 'taken' | 'impossible' {
  try {
    fs.writeFileSync(name, textOf(holder), { flag: 'wx' });
    return 'done';
  } catch (error) {
    return codeOf(error) === 'EEXIST' ? 'taken' : 'impossible';
  }
}

function textOf(holder: Holder): string {
  return `${JSON.stringify(holder)}\n`;
}
