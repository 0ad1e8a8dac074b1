import { counted } from '../kernel/counted.js';

/** Of a workload process that is silent: its numbers are old, and say nothing of the storage. */
export const silentWorkload =
  'its workload process does not report: stopped, no CPU for it, or stuck on storage itself?';

/**
 * What operations that do not complete may be waiting for, for the brackets behind the sentence.
 * @param starvedThreads as in a heartbeat
 */
export function stalledBy(starvedThreads: number): string {
  if (starvedThreads === 0) return 'storage stalled?';
  return `${counted(starvedThreads, 'thread')} want a CPU: host overloaded?`;
}
