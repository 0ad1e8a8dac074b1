import fs from 'node:fs';
import { codeOf } from '../../shared/kernel/errors.js';

/** The kernel's unit of a thread's times in /proc, USER_HZ. */
const ticksPerSecond = 100;

/** CPU of this process's busiest thread since the last look, 0 … 1 (with the kernel's resolution of 10 ms). */
export class ThreadUsage {
  #ticks = ticksByThread();

  /** @param seconds since the last look */
  busiest(seconds: number): number {
    const now = ticksByThread();
    let most = 0;
    for (const [thread, ticks] of now)
      most = Math.max(most, ticks - (this.#ticks.get(thread) ?? 0));
    this.#ticks = now;
    return Math.min(1, most / ticksPerSecond / Math.max(1e-3, seconds));
  }
}

function ticksByThread(): Map<string, number> {
  const folder = '/proc/self/task';
  return new Map(
    fs.readdirSync(folder).map((thread) => [thread, ticksOf(`${folder}/${thread}/stat`)]),
  );
}

/** utime and stime, the 14th and 15th field; the 2nd is a name in brackets that may hold blanks. */
function ticksOf(file: string): number {
  let text: string;
  try {
    text = fs.readFileSync(file, 'latin1');
  } catch (error) {
    // It has ended since the folder was read.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return 0;
    throw error;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
