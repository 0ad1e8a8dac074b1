import { counted } from '../kernel/counted.js';

/**
 * What operations that do not complete may be waiting for, for the brackets behind the sentence.
 * @param starvedThreads as in a heartbeat
 */
export function stalledBy(starvedThreads: number): string {
  if (starvedThreads === 0) return 'storage stalled?';
  return `${counted(starvedThreads, 'thread')} want a CPU: host overloaded?`;
}
