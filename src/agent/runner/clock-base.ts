/**
 * `process` is looked up through an accessor of the global object, which costs more than the clock; a module's own
 * constant costs nothing.
 */
export const { hrtime } = process;

/**
 * Instants in the hot path are doubles: nanoseconds of CLOCK_MONOTONIC after a base that runner and workers share.
 * (As absolute doubles they would lose the nanosecond after 104 days of uptime.)
 */
export class ClockBase {
  readonly seconds: number;

  constructor(seconds = hrtime()[0]) {
    this.seconds = seconds;
  }

  /** Measured as the cheapest way to read the clock; the array is optimised away. */
  now(): number {
    const time = hrtime();
    return (time[0] - this.seconds) * 1e9 + time[1];
  }

  toAbsolute(ns: number): bigint {
    return BigInt(this.seconds) * 1_000_000_000n + BigInt(Math.round(ns));
  }

  toRelative(absoluteNs: bigint): number {
    return Number(absoluteNs - BigInt(this.seconds) * 1_000_000_000n);
  }
}
