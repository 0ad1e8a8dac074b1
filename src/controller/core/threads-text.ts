import type { ThreadsProgress } from './snapshot.js';

/** `setting up threads, 40 of 64` */
export function threadsText({ done, total }: ThreadsProgress): string {
  return `setting up threads, ${String(done)} of ${String(total)}`;
}
