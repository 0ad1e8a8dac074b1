import { mix } from '../choosing/hash.js';

/**
 * For the threads of one fio, which multiplies it by the number of each: so it is never 0, and hashed, lest the second
 * thread of one agent be given what the first one of another is.
 */
export function fioSeed(seed: number, stage: number, agent: number): number {
  return ([seed, stage, agent].reduce(mix, 0) | 1) >>> 0;
}
