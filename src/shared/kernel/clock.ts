/** A timer that fires later than that was slept through: by a host that was suspended, or a process that was stopped. */
export const sleptMs = 2000;

/** Stops a pending timer; calling it again, or after the timer fired, does nothing. */
export type Cancel = () => void;

/**
 * Time as the cores and shells see it. Real: system-clock. Tests: ManualClock, simulated.
 * Both readings are of one monotonic clock (CLOCK_MONOTONIC), so instants compare across processes of a machine.
 */
export interface Clock {
  /** Nanoseconds, exact. */
  nowNs(): bigint;
  /** The same instant in milliseconds with a fraction; exact to a microsecond. */
  nowMs(): number;
  /** Wall clock, milliseconds since 1970: for display and file names only, nothing may depend on it. */
  unixMs(): number;
  /** Calls `fire` once, not earlier than `delayMs` from now. */
  after(delayMs: number, fire: () => void): Cancel;
}

/** One reading of all clocks: what the pure cores are handed as "now". `ms` and `ns` are the same monotonic instant. */
export interface Instant {
  readonly ms: number;
  readonly ns: bigint;
  /** Wall clock, for display only. */
  readonly unixMs: number;
}

export function readClock(clock: Clock): Instant {
  return { ms: clock.nowMs(), ns: clock.nowNs(), unixMs: clock.unixMs() };
}
