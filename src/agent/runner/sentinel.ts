import fs from 'node:fs';
import path from 'node:path';
import type { Clock } from '../../shared/kernel/clock.js';
import { codeOf } from '../../shared/kernel/errors.js';
import type { Sentinel } from '../../shared/model/assignment.js';
import { awaitShown } from './await-shown.js';
import { failureFrom } from './failure.js';
import { removeFile } from './remove-file.js';

/**
 * That a shared target is shared is proven, not believed: the first agent makes a small file in it, the others look for
 * it, and the first one removes it.
 * @returns a sentence when the file does not show. @throws RunnerFailure, Aborted
 */
export async function carryOutSentinel(
  { name, act }: Sentinel,
  folder: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  const file = path.join(folder, name);
  try {
    if (act === 'make') fs.writeFileSync(file, 'muster', { flag: 'wx' });
    else if (act === 'remove') removeFile(file);
    else if ((await awaitShown(() => shows(file), clock, signal)) === undefined) {
      return `target ${folder} is not shared: a file that the first agent has just made in its target does not show here (namespace "shared" needs one file system mounted on all agents)`;
    }
    return undefined;
  } catch (error) {
    throw failureFrom(error, `cannot ${act} ${file}`);
  }
}

function shows(file: string): true | undefined {
  try {
    fs.lstatSync(file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
