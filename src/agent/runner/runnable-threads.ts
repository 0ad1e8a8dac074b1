import fs from 'node:fs';
import { codeOf } from '../../shared/kernel/errors.js';
import type { LoadFigures } from './protocol.js';

/** Looks once a second whether threads get no CPU, when it may be that: in the drain, and while nothing completes. */
export class StarvationWatch {
  readonly #count: () => number;
  #operations = 0;

  constructor(count = runnableThreads) {
    this.#count = count;
  }

  /** @returns threads that are on a CPU or wait for one; 0 when that was not looked at */
  look({ operations, inFlight }: LoadFigures, isDraining: boolean): number {
    const isStill = inFlight > 0 && operations === this.#operations;
    this.#operations = operations;
    return isStill || isDraining ? this.#count() : 0;
  }
}

/**
 * How many threads of this process, but for its main one, are on a CPU or wait for one. Those that wait for storage are
 * not: they sleep. (The time on run queues in schedstat does not tell: it is counted only when the wait is over.)
 */
export function runnableThreads(): number {
  const folder = '/proc/self/task';
  const threads = fs.readdirSync(folder).filter((thread) => thread !== String(process.pid));
  return threads.filter((thread) => isRunnable(`${folder}/${thread}/stat`)).length;
}

/** The 3rd field is the state; the 2nd is a name in brackets that may hold blanks. */
function isRunnable(file: string): boolean {
  try {
    const text = fs.readFileSync(file, 'latin1');
    return text[text.lastIndexOf(')') + 2] === 'R';
  } catch (error) {
    // It has ended since the folder was read.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return false;
    throw error;
  }
}
