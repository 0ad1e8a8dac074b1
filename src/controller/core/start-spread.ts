export interface StartOfAgent {
  /** First operation against T0; negative is impossible but for the clock's error. */
  readonly latenessNs: number;
  /** |error| of the lateness. */
  readonly boundNs: number;
}

export interface StartSpread {
  /** What is compared. `release`: fio was let go; it does not say when it did its first operation. */
  readonly of: 'first_operation' | 'release';
  readonly spread_ns: number;
  /** The true spread is at most spread_ns + bound_ns. */
  readonly bound_ns: number;
}

/** Latest minus earliest, and by how much the clock estimates could make it larger. */
export function startSpread(
  starts: readonly StartOfAgent[],
  of: StartSpread['of'],
): StartSpread | null {
  if (starts.length === 0) return null;
  const range = (pick: (start: StartOfAgent, sign: number) => number): number =>
    Math.max(...starts.map((start) => pick(start, 1))) -
    Math.min(...starts.map((start) => pick(start, -1)));
  const spread = range((start) => start.latenessNs);
  // One agent has no spread, however uncertain its clock.
  if (starts.length === 1) return { of, spread_ns: 0, bound_ns: 0 };
  const widest = range((start, sign) => start.latenessNs + sign * start.boundNs);
  return { of, spread_ns: spread, bound_ns: widest - spread };
}
