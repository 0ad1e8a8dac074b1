import fs from 'node:fs';

/** A worker's own event loop: four of Node 20, five of Node 24, and its io_uring. */
const ofWorker = 8;
const leastOfWorker = 4;
const ofProcess = 256;
const leastOfProcess = 32;

/** How many files of the dataset each of so many workers may have open. */
export function roomForFiles(workers: number): number {
  return Math.max(1, Math.floor((openFileLimit() - ofProcess) / workers) - ofWorker);
}

/** Why so many threads cannot even start. */
export function tooManyThreads(threads: number): string | undefined {
  const limit = openFileLimit();
  const needed = leastOfProcess + threads * leastOfWorker;
  if (needed <= limit) return undefined;
  return `threads (${String(threads)}) need ${String(needed)} open files and more, and the limit is ${String(limit)}: raise it (ulimit -n), or use fewer threads`;
}

/** Node raises the soft limit to the hard one at start. */
function openFileLimit(): number {
  const line = /^Max open files\s+(\d+|unlimited)/mu.exec(
    fs.readFileSync('/proc/self/limits', 'latin1'),
  );
  const limit = Number(line?.[1]);
  return Number.isFinite(limit) ? Math.min(limit, 1_048_576) : 1_048_576;
}
