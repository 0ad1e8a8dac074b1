import type { HeldRange, Message } from '../model/messages.js';
import { BulkCredit } from './bulk-credit.js';
import type { Packed } from './compression.js';
import { IntervalRing } from './interval-ring.js';
import type { LiveFrame } from './interval-ring.js';
import { LaneOrder, Queues, sources } from './lanes.js';
import type { Source } from './lanes.js';
import { countTraffic } from '../model/link-metrics.js';
import type { Counters } from '../model/link-metrics.js';
import { LivePace } from './live-pace.js';
import type { MergeHistograms } from './merge-intervals.js';
import { outgoingOf, packedOf, queueLimit } from './outgoing.js';
import type { Outgoing } from './outgoing.js';

/** What is to be written next; `wrote` must be told when it was. */
export type Candidate =
  | { readonly source: Source; readonly item: Outgoing }
  | { readonly source: 'live'; readonly frame: LiveFrame };

/** What Open says of the controller, for its agent. */
export interface PeerState {
  readonly held?: readonly HeldRange[] | undefined;
  readonly intervalsPerFrame?: number | undefined;
  readonly takesBeside?: boolean | undefined;
}

/** What is not settled yet. Settled means acked by the peer, not merely written. */
export interface Unacked {
  /** Reliable frames written and not acked, and those still to be written. */
  readonly reliable: number;
  readonly queued: number;
  readonly intervals: number;
  readonly bulkBytes: number;
}

const noneReady: ReadonlyMap<Source, Candidate> = new Map();

/** Everything one side has to say, until the other side has it. */
export class Outbound {
  readonly #counters: Counters;
  readonly #queues = new Queues<Outgoing>();
  readonly #order = new LaneOrder();
  readonly #credit = new BulkCredit();
  readonly #ring: IntervalRing;
  readonly #pace = new LivePace();
  /** Reliable frames that were written and are not acked, in the order of their numbers. */
  readonly #unacked: Outgoing[] = [];
  /** The first of them that the present stream has not carried. */
  #replayFrom = 0;
  /** The last word, written when everything else is. */
  #goodbye: Outgoing | undefined;
  #lastNumber = 0n;
  #peerTakesBeside = false;
  #transfers = 0;
  /** Something waits for nothing but credit. */
  #lacksCredit = false;
  /** How the link's parameters have changed, a line each. */
  #changes: string[] = [];
  /** What could have been written when `next` was asked last. */
  #ready: ReadonlyMap<Source, Candidate> = noneReady;

  constructor(mergeHistograms: MergeHistograms, counters: Counters) {
    this.#ring = new IntervalRing(mergeHistograms);
    this.#counters = counters;
  }

  /** Highest reliable number given so far. */
  get lastNumber(): bigint {
    return this.#lastNumber;
  }

  get intervals(): IntervalRing {
    return this.#ring;
  }

  unacked(): Unacked {
    const queued = sources.reduce((sum, source) => {
      if (source === 'replay' || source === 'last') return sum;
      return sum + this.#queues.of(source).filter(({ reliable }) => reliable).length;
    }, 0);
    return {
      reliable: this.#unacked.length,
      queued,
      intervals: this.#ring.size,
      bulkBytes: this.#credit.inFlightBytes,
    };
  }

  enqueue(message: Message, attached: boolean): void {
    if (message.kind === 'interval') {
      this.#ring.add(message);
      return;
    }
    // Reported after the last interval of a stage.
    if (message.kind === 'stageResult' || message.kind === 'goodbye') this.#ring.hurry();
    this.#transfers += 1;
    for (const item of outgoingOf(message, this.#transfers)) {
      if (!item.reliable && !attached) this.#drop(item);
      else if (item.kind === 'goodbye') this.#goodbye = item;
      else this.#push(item);
    }
  }

  /** The next frame in lane order, as far as bulk credit allows. */
  next(nowMs: number): Candidate | undefined {
    this.#ready = this.#allReady(nowMs);
    const source = this.#order.choose(this.#ready);
    return source === undefined ? undefined : this.#ready.get(source);
  }

  /**
   * What `next` gave has been written.
   * @returns the frame's reliable number, 0n when it has none
   */
  wrote(candidate: Candidate, sequence: bigint): bigint {
    this.#order.took(candidate.source, this.#ready);
    if ('frame' in candidate) {
      this.#wroteLive(candidate.frame, sequence);
      return 0n;
    }
    const { source, item } = candidate;
    if (item.bulk) this.#credit.wrote(sequence, packedOf(item).payload.length);
    if (source === 'replay') {
      this.#replayFrom += 1;
      this.#counters.resent += 1;
      return item.number;
    }
    if (source === 'last') {
      this.#goodbye = undefined;
      return 0n;
    }
    this.#remove(item);
    if (!item.reliable) return 0n;
    this.#lastNumber += 1n;
    item.number = this.#lastNumber;
    this.#unacked.push(item);
    this.#replayFrom = this.#unacked.length;
    return item.number;
  }

  /** The peer has processed all reliable frames up to `ack` and all frames of this stream up to `seen`. */
  acknowledged(ack: bigint, seen: bigint, nowMs: number): void {
    const waiting = this.#unacked.findIndex(({ number }) => number > ack);
    const done = waiting === -1 ? this.#unacked.length : waiting;
    this.#unacked.splice(0, done);
    this.#replayFrom = Math.max(0, this.#replayFrom - done);
    const tookMs = this.#ring.seen(seen, nowMs);
    this.#credit.seen(seen, nowMs);
    if (tookMs !== undefined) {
      this.#counters.latencies.add(tookMs);
      this.#adaptPace(tookMs);
    }
    if (this.#lacksCredit) this.#tellCredit(nowMs);
  }

  /** What has changed since the last call, a line each [LINK-11]. */
  takeChanges(): readonly string[] {
    return this.#changes.splice(0);
  }

  /** The peer misses something that was written after `seen`: write again what it has not acked. */
  rewind(seen: bigint): void {
    this.#replayFrom = 0;
    this.#ring.lost(seen);
    this.#credit.reset();
  }

  /** A new stream. The peer has all reliable frames up to `received` and the intervals in `held`, and says what it takes. */
  restart(received: bigint, peer: PeerState, nowMs: number): void {
    const { held = [], intervalsPerFrame = 1, takesBeside = false } = peer;
    this.acknowledged(received, 0n, nowMs);
    this.#pace.peerTakes(intervalsPerFrame);
    this.#peerTakesBeside = takesBeside;
    this.#replayFrom = 0;
    this.#ring.restart(held);
    this.#credit.reset();
  }

  /** No stream: what is not reliable has lost its meaning. */
  interrupt(): void {
    for (const item of this.#queues.remove(({ reliable }) => !reliable)) this.#drop(item);
    if (this.#goodbye) this.#drop(this.#goodbye);
    this.#goodbye = undefined;
  }

  packed(candidate: Candidate): { readonly packed: Packed; readonly plainBytes: number } {
    if ('item' in candidate) {
      const { item } = candidate;
      return { packed: packedOf(item), plainBytes: item.plainBytes };
    }
    return candidate.frame;
  }

  #wroteLive(frame: LiveFrame, sequence: bigint): void {
    if (frame.entries.some(({ everWritten }) => everWritten)) this.#counters.resent += 1;
    if (frame.beside) {
      this.#remove(frame.beside);
      countTraffic(this.#counters.sent, frame.beside.kind, 0);
    }
    this.#credit.wrote(sequence, frame.packed.payload.length);
    this.#ring.wrote(frame, sequence);
  }

  #adaptPace(tookMs: number): void {
    const perFrame = this.#pace.acknowledgedAfter(tookMs);
    if (perFrame === undefined) return;
    const after = `stats are acknowledged after ${String(Math.round(tookMs))} ms`;
    this.#changes.push(`${after}; intervals per frame are now ${String(perFrame)}`);
  }

  #tellCredit(nowMs: number): void {
    const changed = this.#credit.changed(nowMs);
    if (!changed) return;
    const kib = (bytes: number): string => `${String(Math.round(bytes / 1024))} KiB`;
    const rate = `${kib(changed.perSecond)}/s are acknowledged`;
    this.#changes.push(`${rate}; bulk credit is now ${kib(changed.limit)}`);
  }

  #allReady(nowMs: number): ReadonlyMap<Source, Candidate> {
    let ready: Map<Source, Candidate> | undefined;
    this.#lacksCredit = false;
    for (const source of sources) {
      const candidate = this.#candidate(source, nowMs);
      if (!candidate || !this.#allowed(candidate, nowMs)) continue;
      ready ??= new Map();
      ready.set(source, candidate);
    }
    if (ready && rides(ready)) ready.delete('critical');
    return ready ?? noneReady;
  }

  #candidate(source: Source, nowMs: number): Candidate | undefined {
    if (source === 'live') {
      const [rider] = this.#peerTakesBeside ? this.#queues.of('critical') : [];
      const frame = this.#ring.next(this.#pace.perFrame, nowMs, rider?.beside && rider);
      return frame && { source, frame };
    }
    if (source === 'replay') {
      const item = this.#unacked[this.#replayFrom];
      return item && { source, item };
    }
    if (source === 'last') {
      return this.#goodbye && this.#saidAll(nowMs) ? { source, item: this.#goodbye } : undefined;
    }
    const queue = this.#queues.of(source);
    // New reliable frames have higher numbers than those to be replayed and must not overtake them.
    const replaying = this.#replayFrom < this.#unacked.length;
    const item = replaying ? queue.find(({ reliable }) => !reliable) : queue[0];
    return item && { source, item };
  }

  #allowed(candidate: Candidate, nowMs: number): boolean {
    if ('item' in candidate && !candidate.item.bulk) return true;
    const isAllowed = this.#credit.allows(this.packed(candidate).packed.payload.length, nowMs);
    if (!isAllowed) this.#lacksCredit = true;
    return isAllowed;
  }

  /** Nothing else waits, not even for credit. */
  #saidAll(nowMs: number): boolean {
    if (this.#ring.isWaiting) return false;
    return sources.every((source) => source === 'last' || !this.#candidate(source, nowMs));
  }

  #push(item: Outgoing): void {
    const queue = this.#queues.of(item.lane);
    queue.push(item);
    if (item.reliable) return;
    const alike = queue.filter(({ kind }) => kind === item.kind);
    const [oldest] = alike;
    if (!oldest || alike.length <= queueLimit(item.kind)) return;
    queue.splice(queue.indexOf(oldest), 1);
    this.#drop(oldest);
  }

  #remove(item: Outgoing): void {
    const queue = this.#queues.of(item.lane);
    queue.splice(queue.indexOf(item), 1);
  }

  #drop({ kind }: Outgoing): void {
    this.#counters.dropped[kind] = (this.#counters.dropped[kind] ?? 0) + 1;
  }
}

/** Nothing stands between the heartbeat and the interval that it can ride with. */
function rides(ready: ReadonlyMap<Source, Candidate>): boolean {
  const [first, second] = ready.values();
  return (
    first !== undefined &&
    second !== undefined &&
    'item' in first &&
    'frame' in second &&
    second.frame.beside === first.item
  );
}
