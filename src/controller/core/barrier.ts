import type { Instant } from '../../shared/kernel/clock.js';

/** What the barrier must know of an agent's clock. */
export interface Starter {
  readonly agent: number;
  /** Agent's monotonic clock minus the controller's. */
  readonly offsetNs: bigint;
  readonly roundTripNs: number;
  /** The longest that one of the probes just before took, the agent's own part included; Infinity when one was lost. */
  readonly longestProbeMs: number;
}

export interface StartOrder {
  readonly agent: number;
  readonly epoch: number;
  /** On the agent's own monotonic clock. */
  readonly atNs: bigint;
}

const shortestLeadMs = 2000;
/** Of the first attempt, when every probe of every agent has just come back at once: the links are quiet. */
const quietLeadMs = 1000;
const quietProbeMs = 50;
const attempts = 3;
/** Of the lead. Go is not sent later: it might reach some agents in time and others not. */
const goShare = 1 / 4;

/**
 * The two-phase start of one stage. Every starter is armed for one instant T0; only when all are armed are they told to
 * go. Whoever has no Go at T0 does not start, so no part of the fleet ever runs to an abandoned instant.
 */
export class Barrier {
  readonly #starters: readonly Starter[];
  readonly #firstEpoch: number;
  #attempt = 0;
  #t0: Instant;
  #latestGoMs = 0;
  #armed = new Set<number>();
  #missed = new Map<number, string>();
  #ran = new Set<number>();
  #released = false;
  #members: readonly number[];

  /** `firstEpoch`: above every epoch used for this stage before. */
  constructor(starters: readonly Starter[], firstEpoch: number, now: Instant) {
    this.#starters = starters;
    this.#members = starters.map(({ agent }) => agent);
    this.#firstEpoch = firstEpoch;
    this.#t0 = now;
  }

  get epoch(): number {
    return this.#firstEpoch + this.#attempt - 1;
  }

  /** T0 on the controller's monotonic clock. */
  get t0(): Instant {
    return this.#t0;
  }

  get released(): boolean {
    return this.#released;
  }

  get triesLeft(): boolean {
    return this.#attempt < attempts;
  }

  /** Those still taking part. */
  get members(): readonly number[] {
    return this.#members;
  }

  /**
   * A new attempt: T0 lies max(2 s, 4 × the longest round trip) ahead, twice as far at each further attempt. The first
   * makes do with 1 s on quiet links.
   */
  arm(now: Instant): StartOrder[] {
    const leadMs = this.#leadMs();
    this.#attempt += 1;
    this.#latestGoMs = now.ms + leadMs * (1 - goShare);
    this.#t0 = {
      ms: now.ms + leadMs,
      ns: now.ns + BigInt(Math.round(leadMs * 1e6)),
      unixMs: now.unixMs + leadMs,
    };
    this.#armed = new Set();
    this.#missed = new Map();
    this.#released = false;
    const { epoch } = this;
    return this.#starters
      .filter(({ agent }) => this.#members.includes(agent))
      .map(({ agent, offsetNs }) => ({ agent, epoch, atNs: this.#t0.ns + offsetNs }));
  }

  armed(agent: number, epoch: number): void {
    if (epoch === this.epoch) this.#armed.add(agent);
  }

  missed(agent: number, epoch: number, reason: string): void {
    if (epoch === this.epoch) this.#missed.set(agent, reason);
  }

  ran(agent: number): void {
    this.#ran.add(agent);
  }

  /** The agent is lost: nobody waits for it. */
  leave(agent: number): void {
    this.#members = this.#members.filter((member) => member !== agent);
  }

  /** All are armed and T0 is far enough ahead: Go is due. Says so once. */
  release(now: Instant): boolean {
    if (this.#released || now.ms > this.#latestGoMs || this.#missed.size > 0) return false;
    if (!this.members.every((agent) => this.#armed.has(agent))) return false;
    this.#released = this.members.length > 0;
    return this.#released;
  }

  /** Nobody can start in this attempt any more. */
  attemptFailed(now: Instant): boolean {
    if (this.members.some((agent) => this.#ran.has(agent))) return false;
    if (this.#released) return this.members.every((agent) => this.#missed.has(agent));
    return now.ms >= this.#t0.ms || this.#missed.size > 0;
  }

  /** Those that missed the instant although others run. */
  leftBehind(): number[] {
    if (this.#missed.size === 0 || !this.members.some((agent) => this.#ran.has(agent))) return [];
    return this.members.filter((agent) => this.#missed.has(agent) && !this.#ran.has(agent));
  }

  /** Who kept the last attempt from succeeding, with what is known of the reason. */
  culprits(): Map<number, string> {
    const culprits = new Map<number, string>();
    for (const agent of this.members) {
      const missed = this.#missed.get(agent);
      if (missed !== undefined) culprits.set(agent, missed);
      else if (!this.#armed.has(agent)) culprits.set(agent, 'did not answer Start');
    }
    return culprits;
  }

  wakeAt(): number | undefined {
    return this.#released ? undefined : this.#t0.ms;
  }

  #leadMs(): number {
    const isQuiet = this.#starters.every(({ longestProbeMs }) => longestProbeMs <= quietProbeMs);
    if (isQuiet && this.#attempt === 0) return quietLeadMs;
    const slowestMs = Math.max(...this.#starters.map(({ roundTripNs }) => roundTripNs)) / 1e6;
    return Math.max(shortestLeadMs, 4 * slowestMs) * 2 ** this.#attempt;
  }
}
