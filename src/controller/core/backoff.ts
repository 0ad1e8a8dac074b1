import type { RedialDelays } from './redial-pace.js';

/**
 * Delay before re-dial number `attempt` (0, 1, …): exponential, capped, and full jitter after the cap, so that many
 * agents cut at once do not come back in step (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter).
 */
export function redialDelayMs(
  attempt: number,
  random: () => number,
  { firstMs, capMs }: RedialDelays,
): number {
  return random() * Math.min(capMs, firstMs * 2 ** Math.min(attempt, 16));
}
