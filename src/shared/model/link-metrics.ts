import { Latencies } from '../metrics/latencies.js';
import type { LatencyTally } from '../metrics/latencies.js';
import type { KindTraffic, LinkReport, SpoolMetrics } from './link-report.js';
import type { MessageKind } from './messages.js';

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
  /** Attempts to write that failed because the stream was full and no drain came in time. */
  readonly retries: number;
  /** Times that all attempts failed. */
  readonly backlogs: number;
  /** Of stats sent, from when they could be written until they were acknowledged. */
  readonly latency: LatencyTally;
}

export type Counters = Omit<
  { -readonly [K in keyof LinkMetrics]: LinkMetrics[K] },
  'latency' | 'intervalsMerged' | 'intervalsDropped'
> & {
  sent: Partial<Record<CountedKind, Traffic>>;
  received: Partial<Record<CountedKind, Traffic>>;
  dropped: Partial<Record<CountedKind, number>>;
  readonly latencies: Latencies;
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
    payloadBytes: 0,
    packedBytes: 0,
    retries: 0,
    backlogs: 0,
    latencies: new Latencies(),
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

/** The counters as they are now. */
export function metricsOf(
  counted: Counters,
  intervals: { readonly merged: number; readonly dropped: number },
): LinkMetrics {
  const { latencies, sent, received, dropped, ...counters } = counted;
  return {
    ...counters,
    sent: copied(sent),
    received: copied(received),
    dropped: { ...dropped },
    intervalsMerged: intervals.merged,
    intervalsDropped: intervals.dropped,
    latency: latencies.tally,
  };
}

function copied(table: LinkMetrics['sent']): LinkMetrics['sent'] {
  return Object.fromEntries(Object.entries(table).map(([kind, traffic]) => [kind, { ...traffic }]));
}

/** What an agent tells its controller of its side. */
export function linkReport(metrics: LinkMetrics, spool: SpoolMetrics): LinkReport {
  const { sent, received, dropped, latency, ...counters } = metrics;
  const given = Object.entries(dropped).map(([kind, messages]) => {
    return [kind, { messages, bytes: 0 }] as const;
  });
  return {
    ...counters,
    sent: listOf(Object.entries(sent)),
    received: listOf(Object.entries(received)),
    dropped: listOf(given),
    latencySamples: latency.samples,
    latencyMeanMs: latency.meanMs,
    latencyMaxMs: latency.maxMs,
    checkpoints: spool.checkpoints,
    checkpointBytes: spool.checkpointBytes,
  };
}

function listOf(table: readonly (readonly [string, Traffic])[]): KindTraffic[] {
  return table.map(([kind, { messages, bytes }]) => ({ kind, messages, bytes }));
}
