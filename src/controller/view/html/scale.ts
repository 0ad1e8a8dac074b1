/** Values to positions on an axis, with the values that get a label. */
export interface Scale {
  /** Where on the axis, 0 (low end) … 1. */
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** From zero to a round number at or above `max`, with at most six labels: steps of 1, 2 or 5 times a power of ten. */
export function linearScale(max: number): Scale {
  if (max <= 0) return { at: () => 0, ticks: [0] };
  const raw = max / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= raw) ?? raw;
  const count = Math.ceil(max / step - 1e-9);
  const top = count * step;
  return {
    at: (value) => value / top,
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
  };
}

/** Whole powers of ten around [min, max], min > 0: latencies differ by decades. */
export function logScale(min: number, max: number): Scale {
  const low = Math.floor(Math.log10(min) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(max) - 1e-9));
  return {
    at: (value) => Math.min(1, Math.max(0, (Math.log10(value) - low) / (high - low))),
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
  };
}

/** From zero to exactly `end` seconds, with labels at whole seconds. */
export function timeScale(end: number): Scale {
  return {
    at: (value) => (end > 0 ? value / end : 0),
    ticks: linearScale(end).ticks.filter((tick) => tick <= end && Number.isInteger(tick)),
  };
}
