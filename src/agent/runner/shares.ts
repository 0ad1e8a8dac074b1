/** How an agent's limits and its part of the dataset are divided over its workers; the parts add up exactly. */

/** Part `index` of `parts` of the numbers 0 … total-1, without gap or overlap. */
export function segment(
  total: number,
  index: number,
  parts: number,
): { readonly from: number; readonly to: number } {
  return { from: boundary(total, index, parts), to: boundary(total, index + 1, parts) };
}

function boundary(total: number, index: number, parts: number): number {
  const base = Math.floor(total / parts);
  return base * index + Math.min(index, total % parts);
}

/** A worker's share of a number of operations. */
export function shareOf(total: number | undefined, worker: number, workers: number): number {
  if (total === undefined) return Infinity;
  const { from, to } = segment(total, worker, workers);
  return to - from;
}

/** A worker's share of a number of bytes: whole operations of `unit` bytes, the rest to the first. */
export function byteShareOf(
  total: number | undefined,
  unit: number,
  worker: number,
  workers: number,
): number {
  if (total === undefined) return Infinity;
  const whole = shareOf(Math.floor(total / unit), worker, workers) * unit;
  return worker === 0 ? whole + (total % unit) : whole;
}
