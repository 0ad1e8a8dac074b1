import type { MessageKind } from '../model/messages.js';

/** What a frame carries, for counting: a kind of message, a piece of one, several intervals, or only an acknowledgement. */
export type CountedKind = MessageKind | 'chunk' | 'intervals' | 'ack';

export interface Traffic {
  messages: number;
  /** Of the frames as written, envelope included. */
  bytes: number;
}

/** Counters of one side of one session, over all its streams (LINK-12). Bytes are of frames, before HTTP/2. */
export interface LinkMetrics {
  readonly sent: Readonly<Partial<Record<CountedKind, Readonly<Traffic>>>>;
  readonly received: Readonly<Partial<Record<CountedKind, Readonly<Traffic>>>>;
  /** Unreliable messages given up: superseded, no stream, queue full. */
  readonly dropped: Readonly<Partial<Record<CountedKind, number>>>;
  /** Streams this session has had. */
  readonly streams: number;
  /** Frames ignored because damaged or undecodable. */
  readonly invalid: number;
  /** Kinds this version does not know. */
  readonly unknownKinds: number;
  /** Holes in the peer's sequence. */
  readonly gaps: number;
  readonly naksSent: number;
  readonly naksReceived: number;
  /** Frames written again: after a nak or on a new stream. */
  readonly resent: number;
  /** Frames and intervals received more than once and ignored. */
  readonly duplicates: number;
  /** Reliable frames that came before their predecessor and were ignored (they are written again). */
  readonly outOfOrder: number;
  /** Frames of a stream that was replaced. */
  readonly stale: number;
  /** Intervals joined to their neighbour because the link did not keep up. */
  readonly intervalsMerged: number;
  readonly intervalsDropped: number;
  /** Payloads of both directions before and after deflating, those sent as they are included. */
  readonly payloadBytes: number;
  readonly packedBytes: number;
}

/** What the sender of frames met, over all streams. */
export interface PumpMetrics {
  /** Attempts that failed because no drain came in time. */
  readonly retries: number;
  /** Times that all attempts failed. */
  readonly backlogs: number;
}

export type Counters = { -readonly [K in keyof LinkMetrics]: LinkMetrics[K] } & {
  sent: Partial<Record<CountedKind, Traffic>>;
  received: Partial<Record<CountedKind, Traffic>>;
  dropped: Partial<Record<CountedKind, number>>;
};

export function noTraffic(): Counters {
  return {
    sent: {},
    received: {},
    dropped: {},
    streams: 0,
    invalid: 0,
    unknownKinds: 0,
    gaps: 0,
    naksSent: 0,
    naksReceived: 0,
    resent: 0,
    duplicates: 0,
    outOfOrder: 0,
    stale: 0,
    intervalsMerged: 0,
    intervalsDropped: 0,
    payloadBytes: 0,
    packedBytes: 0,
  };
}

export function countTraffic(
  table: Partial<Record<CountedKind, Traffic>>,
  kind: CountedKind,
  bytes: number,
): void {
  const traffic = (table[kind] ??= { messages: 0, bytes: 0 });
  traffic.messages += 1;
  traffic.bytes += bytes;
}
