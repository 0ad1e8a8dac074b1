import type { LatencyTally } from '../../shared/metrics/latencies.js';
import type { Timeouts } from '../../shared/model/plan.js';
import { LatencyWatch } from './latency-watch.js';

/** Silence on an open stream after which the agent is asked on a fresh connection, and how often, lies between these. */
const [shortestHelloMs, longestHelloMs] = [3000, 10_000];

/** … and it is not asked more often than so many times in the length of its silence: many may be hung, for hours. */
const asksPerSilence = 24;

/** Messages that arrive closer together than this were held up together: one latency, not several. */
const latencySpacingMs = 500;

/** How well we hear one agent: when it last spoke, how long messages take, whether it is to be asked on the side. */
export class Contact {
  readonly #latency = new LatencyWatch();
  readonly #helloAfterMs: number;
  readonly #pings = new Map<number, number>();
  #heardAtMs = 0;
  #helloAskedAtMs = -Infinity;
  #messageAtMs = -Infinity;
  #pingId = 0;
  #roundTripMs: number | undefined;

  /**
   * A dead stream must be known for one, and its agent be back, before the silence on it makes the agent hung; but a few
   * heartbeats that come late are no silence.
   */
  constructor({ pingAfterMs, prepareSilenceMs, collectMs }: Timeouts) {
    const patienceMs = Math.min(longestHelloMs, pingAfterMs, prepareSilenceMs / 2, collectMs / 2);
    this.#helloAfterMs = Math.max(shortestHelloMs, patienceMs);
  }

  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  get latencyMs(): number | undefined {
    return this.#latency.latestMs;
  }

  /** The newest; the age of a message is none. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  get latencies(): LatencyTally {
    return this.#latency.tally;
  }

  connected(nowMs: number): void {
    this.#heardAtMs = nowMs;
    this.#pings.clear();
  }

  /** Returns for how long it had been silent. */
  heard(nowMs: number): number {
    const silentMs = nowMs - this.#heardAtMs;
    this.#heardAtMs = nowMs;
    return silentMs;
  }

  /** The id of a ping to send now. */
  ping(nowMs: number): number {
    this.#pingId += 1;
    this.#pings.set(this.#pingId, nowMs);
    return this.#pingId;
  }

  /** The round trip of a ping that was waited for. */
  pong(id: number, nowMs: number): number | undefined {
    const sentAtMs = this.#pings.get(id);
    this.#pings.delete(id);
    return sentAtMs === undefined ? undefined : nowMs - sentAtMs;
  }

  /** A message that is the first of what arrived together shows how long messages take. */
  isFirstOfBurst(nowMs: number): boolean {
    const isFirst = nowMs - this.#messageAtMs >= latencySpacingMs;
    this.#messageAtMs = nowMs;
    return isFirst;
  }

  roundTrip(ms: number): void {
    this.#roundTripMs = ms;
  }

  /** True exactly when the warning is due. */
  measured(latencyMs: number): boolean {
    return this.#latency.measured(latencyMs);
  }

  /** Is the agent to be asked on a fresh connection? Says so once per round. */
  helloIsDue(nowMs: number): boolean {
    if (nowMs < this.helloDueMs) return false;
    this.#helloAskedAtMs = nowMs;
    return true;
  }

  get helloDueMs(): number {
    const silentMs = Math.max(0, this.#helloAskedAtMs - this.#heardAtMs);
    const afterMs = Math.max(this.#helloAfterMs, silentMs / asksPerSilence);
    return Math.max(this.#heardAtMs, this.#helloAskedAtMs) + afterMs;
  }

  /** The silence on the stream lasts: an answer on the side now proves the stream dead. */
  isSilent(nowMs: number): boolean {
    return nowMs - this.#heardAtMs >= this.#helloAfterMs;
  }

  shift(ms: number): void {
    this.#heardAtMs += ms;
    this.#helloAskedAtMs += ms;
  }
}
