import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentMessage } from '../../shared/model/messages.js';
import { bestEstimate, estimateOf, isPlausible, type Probe } from './clock-offset.js';
import type { ClockEstimate } from './records.js';

type ProbeReply = Extract<AgentMessage, { kind: 'probeReply' }>;

/** Probes of a burst leave this far apart without waiting for replies: a slow link costs one round trip, not many. */
const spacingMs = 5;
const routineMs = 30_000;
/** A burst that is not complete by then ends with the replies there are, or is repeated when there is none. */
export const burstPatienceMs = 10_000;
/** Once half of the replies are here, the others are lost if none comes for this long, or for three round trips. */
const quietMs = 250;
const quietRoundTrips = 3;

/** first: on a new stream, whose first probes only warm the path and are left out. fresh: before a start. */
export type BurstKind = 'first' | 'fresh';
const sizes: Readonly<Record<BurstKind, number>> = { first: 16, fresh: 8 };

/** Ids of probes sent and not answered, with when: what a reply says of that is not believed. */
type Unanswered = Map<number, bigint>;

interface Burst {
  readonly kind: BurstKind;
  issued: number;
  readonly open: Unanswered;
  readonly replies: Probe[];
  nextAtMs: number;
  repliedAtMs: number;
  readonly giveUpAtMs: number;
}

export interface ProbeOutcome {
  /** Of this reply. */
  readonly sample: ClockEstimate;
  /** What is to be published: the estimate of a completed burst, or a routine probe's. */
  readonly estimate: ClockEstimate | undefined;
}

/** The clock probes over one stream: bursts on request, one probe every 30 s otherwise. */
export class ClockProbes {
  #nextId = 1;
  #burst: Burst | undefined;
  readonly #routine: Unanswered = new Map();
  #routineAtMs: number | undefined;
  /** Of the last completed burst on this stream. */
  #current: ClockEstimate | undefined;
  #currentAtMs = -Infinity;
  #longestMs = Infinity;

  get current(): ClockEstimate | undefined {
    return this.#current;
  }

  /** The longest that a probe of the last burst took, the agent's own part included; Infinity when one was lost. */
  get longestMs(): number {
    return this.#longestMs;
  }

  get inBurst(): boolean {
    return this.#burst !== undefined;
  }

  /** How old the estimate is: clocks drift. */
  ageMs(nowMs: number): number {
    return nowMs - this.#currentAtMs;
  }

  startBurst(kind: BurstKind, nowMs: number): void {
    this.#burst = {
      kind,
      issued: 0,
      open: new Map(),
      replies: [],
      nextAtMs: nowMs,
      repliedAtMs: nowMs,
      giveUpAtMs: nowMs + burstPatienceMs,
    };
  }

  /** The stream is gone: an estimate belongs to the stream it was made on. */
  reset(): void {
    this.#burst = undefined;
    this.#routine.clear();
    this.#routineAtMs = undefined;
    this.#current = undefined;
  }

  /** The ids of the probes to send now. */
  due(now: Instant): number[] {
    const burst = this.#burst;
    if (burst) {
      if (burst.issued >= sizes[burst.kind] || now.ms < burst.nextAtMs) return [];
      burst.nextAtMs = now.ms + spacingMs;
      burst.issued += 1;
      return [this.#issue(burst.open, now.ns)];
    }
    if (this.#routineAtMs === undefined || now.ms < this.#routineAtMs) return [];
    this.#routineAtMs = now.ms + routineMs;
    return [this.#issue(this.#routine, now.ns)];
  }

  /** Undefined for a reply nobody waits for (of an older stream, repeated) or one that cannot be true. */
  reply(message: ProbeReply, receivedNs: bigint, now: Instant): ProbeOutcome | undefined {
    const burst = this.#burst;
    const asked = burst?.open.has(message.id) === true ? burst.open : this.#routine;
    const t1Ns = asked.get(message.id);
    if (t1Ns === undefined) return undefined;
    asked.delete(message.id);
    const { t2Ns, t3Ns, unixMs } = message;
    const wallOffsetMs = unixMs - now.unixMs;
    const probe: Probe = { t1Ns, t2Ns, t3Ns, t4Ns: receivedNs, wallOffsetMs };
    if (!isPlausible(probe)) return undefined;
    if (burst && asked === burst.open) {
      burst.replies.push(probe);
      burst.repliedAtMs = now.ms;
      const complete = burst.issued === sizes[burst.kind] && burst.open.size === 0;
      const estimate = complete ? this.#finish(burst, now.ms) : undefined;
      return { sample: estimateOf(probe), estimate };
    }
    const sample = estimateOf(probe);
    return { sample, estimate: sample };
  }

  /** Ends a burst whose patience is over: `unanswered` when nothing came of it, and then it is repeated. */
  expire(nowMs: number): ClockEstimate | 'unanswered' | undefined {
    const burst = this.#burst;
    if (!burst || nowMs < endOf(burst)) return undefined;
    if (burst.replies.length > 0) return this.#finish(burst, nowMs);
    this.startBurst(burst.kind, nowMs);
    return 'unanswered';
  }

  wakeAt(): number | undefined {
    const burst = this.#burst;
    if (!burst) return this.#routineAtMs;
    return burst.issued < sizes[burst.kind] ? burst.nextAtMs : endOf(burst);
  }

  #issue(into: Unanswered, nowNs: bigint): number {
    const id = this.#nextId;
    this.#nextId += 1;
    into.set(id, nowNs);
    return id;
  }

  #finish(burst: Burst, nowMs: number): ClockEstimate | undefined {
    this.#burst = undefined;
    this.#routineAtMs = nowMs + routineMs;
    this.#currentAtMs = nowMs;
    this.#current = bestEstimate(burst.replies, burst.kind === 'first');
    const tookMs = burst.replies.map(({ t1Ns, t4Ns }) => Number(t4Ns - t1Ns) / 1e6);
    this.#longestMs = tookMs.length < sizes[burst.kind] ? Infinity : Math.max(...tookMs);
    return this.#current;
  }
}

function endOf(burst: Burst): number {
  const size = sizes[burst.kind];
  if (burst.issued < size || burst.replies.length * 2 < size) return burst.giveUpAtMs;
  const roundTripMs = (bestEstimate(burst.replies, false)?.roundTripNs ?? 0) / 1e6;
  const quiet = Math.max(quietMs, quietRoundTrips * roundTripMs);
  return Math.min(burst.giveUpAtMs, burst.repliedAtMs + quiet);
}
