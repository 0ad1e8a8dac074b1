import type { StageSummary } from '../core/summary.js';
import { duration } from './format.js';

/** How far apart the agents began, as far as it is known; nothing when there is nobody to compare. */
export function startFact(
  { start, agents_started: agents }: StageSummary,
  plusMinus: string,
): readonly string[] {
  if (start === null || agents < 2) return [];
  const spread = `${duration(start.spread_ns)} (${plusMinus} ${duration(start.bound_ns)})`;
  switch (start.of) {
    case 'first_operation':
      return [`start spread ${spread}`];
    case 'release':
      return [`fio let go within ${spread}, its first operations not known`];
  }
}
