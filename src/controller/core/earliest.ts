/** The earlier of two instants of which either may never come. Written for loops over many agents: it makes no garbage. */
export function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined || a < b ? a : b;
}
