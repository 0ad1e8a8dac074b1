import fs from 'node:fs';

/** A worker's own event loop: four of Node 20, five of Node 24, and its io_uring. */
const ofWorker = 8;
const ofProcess = 256;

/** How many files of the dataset each of so many workers may have open. */
export function roomForFiles(workers: number): number {
  return Math.max(1, Math.floor((openFileLimit() - ofProcess) / workers) - ofWorker);
}

/** Node raises the soft limit to the hard one at start. */
function openFileLimit(): number {
  const line = /^Max open files\s+(\d+|unlimited)/mu.exec(
    fs.readFileSync('/proc/self/limits', 'latin1'),
  );
  const limit = Number(line?.[1]);
  return Number.isFinite(limit) ? Math.min(limit, 1_048_576) : 1_048_576;
}
