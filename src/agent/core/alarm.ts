/** How long an overdue alarm waits for input that was buffered while the process did not run. */
export const recheckMs = 100;

/**
 * A deadline that is moved by input from outside. After a freeze the timer comes before the messages that arrived
 * meanwhile, so an overdue deadline is only believed at a second look, after those were read.
 */
export class Alarm {
  readonly #trustedMs: number;
  #confirmAtMs: number | undefined;

  /** @param trustedMs one that is noticed so soon after its instant is believed at once: nothing can have been held up */
  constructor(trustedMs = -1) {
    this.#trustedMs = trustedMs;
  }

  wakeAt(deadlineMs: number): number {
    return Math.max(deadlineMs, this.#confirmAtMs ?? deadlineMs);
  }

  expired(deadlineMs: number, nowMs: number): boolean {
    if (nowMs < deadlineMs) {
      this.#confirmAtMs = undefined;
      return false;
    }
    if (this.#confirmAtMs === undefined && nowMs - deadlineMs <= this.#trustedMs) return true;
    this.#confirmAtMs ??= nowMs + recheckMs;
    return nowMs >= this.#confirmAtMs;
  }
}

/** The earliest of several instants, some of which may not be set. */
export function earliest(...instants: readonly (number | undefined)[]): number | undefined {
  let first: number | undefined;
  for (const instant of instants) {
    if (instant !== undefined && (first === undefined || instant < first)) first = instant;
  }
  return first;
}
