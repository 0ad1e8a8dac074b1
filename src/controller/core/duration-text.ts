/** Whole seconds as notices show them: `30s`. */
export function wholeSeconds(ms: number): string {
  return `${String(Math.round(ms / 1000))}s`;
}

/** Seconds with one decimal: `2.4s`. */
export function tenthSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)}s`;
}
