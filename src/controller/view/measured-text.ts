import type { ExpectationResult } from '../core/summary.js';
import { bytes, count, duration, rate } from './format.js';

/** What a threshold measured, in the unit that the tables have for it. */
export function measuredText({ text, measured }: ExpectationResult): string {
  if (measured === null) return 'nothing';
  if (/\.(service|response)\./.test(text)) return duration(measured);
  if (/\.bytes_per_second\b/.test(text)) return `${bytes(measured)}/s`;
  if (/\.per_second\b/.test(text)) return `${rate(measured)} ops/s`;
  return count(measured);
}
