import { Alarm } from './alarm.js';

export interface LeaseTimes {
  /** Silence of the controller on an open stream that ends the load. */
  readonly leaseMs: number;
  readonly reconnectWindowMs: number;
}

/** Until Prepare brings the run's own times. */
export const defaultLease: LeaseTimes = { leaseMs: 150_000, reconnectWindowMs: 30_000 };

/** How much longer than the reconnect window the agent goes on after its stream closed. */
const afterWindowMs = 5_000;

/** The runner's own deadline lies this far behind control's, so that control acts first when it lives. */
const runnerMarginMs = 5_000;

/**
 * Is there still an owner? Two rules (2-protocol §6): the stream closed and nobody came back within the reconnect
 * window + 5 s (dead man's switch), or it is open and nothing was heard for the lease.
 */
export class OwnerWatch {
  #times = defaultLease;
  #heardAtMs: number;
  #lostAtMs: number | undefined;
  readonly #alarm = new Alarm();

  constructor(nowMs: number) {
    this.#heardAtMs = nowMs;
  }

  use(times: LeaseTimes): void {
    this.#times = times;
  }

  /** Any message on the current stream. */
  heard(nowMs: number): void {
    this.#heardAtMs = nowMs;
  }

  streamOpened(nowMs: number): void {
    this.#lostAtMs = undefined;
    this.#heardAtMs = nowMs;
  }

  streamLost(nowMs: number): void {
    this.#lostAtMs = nowMs;
  }

  wakeAt(): number {
    return this.#alarm.wakeAt(this.#deadlineMs());
  }

  ownerGone(nowMs: number): boolean {
    return this.#alarm.expired(this.#deadlineMs(), nowMs);
  }

  /** Why the owner is gone, for people; as long as he is not, why he would be. */
  get why(): string {
    const { leaseMs, reconnectWindowMs } = this.#times;
    return this.#lostAtMs === undefined
      ? `nothing was heard of the controller for ${seconds(leaseMs)} (lease)`
      : `the connection to the controller was lost, and not back within ${seconds(reconnectWindowMs + afterWindowMs)}`;
  }

  /** When a lost owner has been away for too long; undefined: it is connected. */
  get goneAtMs(): number | undefined {
    return this.#lostAtMs === undefined ? undefined : this.#deadlineMs();
  }

  /** The owner is connected and was heard a moment ago: it says something every three seconds. */
  speaks(nowMs: number): boolean {
    return this.#lostAtMs === undefined && nowMs - this.#heardAtMs < afterWindowMs;
  }

  /** When a controller whose stream was lost has given up to come back. One that is silent on an open stream may be frozen. */
  get triedUntilMs(): number | undefined {
    return this.#lostAtMs === undefined
      ? undefined
      : this.#lostAtMs + this.#times.reconnectWindowMs;
  }

  /** The instant until which the runner may go on without hearing of its owner again. */
  runnerDeadlineNs(nowMs: number, nowNs: bigint): bigint {
    const leftMs = this.#deadlineMs() - nowMs + runnerMarginMs;
    return nowNs + BigInt(Math.max(0, Math.ceil(leftMs))) * 1_000_000n;
  }

  #deadlineMs(): number {
    return this.#lostAtMs === undefined
      ? this.#heardAtMs + this.#times.leaseMs
      : this.#lostAtMs + this.#times.reconnectWindowMs + afterWindowMs;
  }
}

function seconds(ms: number): string {
  return `${String(Math.round(ms / 1000))}s`;
}
