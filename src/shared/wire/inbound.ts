import type { Owed } from './acknowledgements.js';
import { deliveryOf } from '../model/messages.js';
import type { HeldRange, Message, MessageKind } from '../model/messages.js';
import { decodeBoth, decodePayload } from './codec.js';
import { DecodeError } from './decode-error.js';
import { unpack } from './compression.js';
import { kindsToward } from './directions.js';
import { decodeFrame } from './frame.js';
import type { Frame, FrameContext, FrameSigner } from './frame.js';
import { HeldRanges } from './held-ranges.js';
import { countTraffic } from '../model/link-metrics.js';
import type { Counters } from '../model/link-metrics.js';
import { mostPerFrame } from './live-pace.js';
import { Reassembly } from './reassembly.js';
import { SequenceTracker } from './sequence-tracker.js';

/** So many bad frames in a row end the stream (not the run). */
export const mostInvalid = 100;

/** A run has few: a hole is there only while a lost interval is on its way again. */
const mostHeldRanges = 10_000;

export type LinkEvent<In extends Message = Message> =
  | { readonly kind: 'message'; readonly message: In }
  /** Ignored. `sequence`: the frame's own, or the expected one when the frame cannot be trusted. */
  | { readonly kind: 'invalid'; readonly sequence: bigint; readonly reason: string }
  | { readonly kind: 'gap'; readonly expected: bigint; readonly received: bigint }
  | { readonly kind: 'unknownKind'; readonly sequence: bigint; readonly field: number }
  /** A parameter of the link follows what was measured: one clause for the log. */
  | { readonly kind: 'adapted'; readonly line: string }
  /** The stream should be closed. */
  | { readonly kind: 'tooManyInvalid'; readonly count: number };

export interface Received<In extends Message> {
  readonly events: readonly LinkEvent<In>[];
  /** What the peer says it has processed; absent when the frame was not taken. */
  readonly acknowledged?: { readonly ack: bigint; readonly seen: bigint };
  /** The peer misses what was written after `seen`. */
  readonly lost?: boolean;
  /** When the peer wants an acknowledgement of the frame. */
  readonly owed?: Owed;
}

/** awaited: the peer waits for an acknowledgement. patient: it keeps a copy until one comes. passing: nobody waits. */
type Meaning = 'nak' | 'awaited' | 'patient' | 'passing';

/** An answer is wanted soon, so that a peer with nothing to say learns of it. */
const answer: Owed = { bytes: 0, isPatient: false };

/** Kinds that are neither written again nor held against credit: who sent one has forgotten it. */
const passing: ReadonlySet<string> = new Set(
  Object.entries(deliveryOf)
    .filter(([, { reliable, lane }]) => !reliable && lane !== 'high' && lane !== 'live')
    .map(([kind]) => kind),
);

/** The most that a peer can acknowledge: what it was sent. */
export interface SentLimits {
  readonly reliable: bigint;
  readonly sequence: bigint;
}

/** What arrives from the other side: checked, put in order, each reliable message once. */
export class Inbound<In extends Message> {
  readonly #context: FrameContext;
  readonly #accepted: ReadonlySet<MessageKind>;
  readonly #counters: Counters;
  readonly #reassembly = new Reassembly();
  readonly #held = new HeldRanges();
  #tracker = new SequenceTracker(0n);
  #received = 0n;
  #heard = 0n;
  #invalidInRow = 0;

  constructor(options: {
    readonly side: 'controller' | 'agent';
    readonly session: string;
    readonly counters: Counters;
  }) {
    const direction = options.side === 'agent' ? 'toAgent' : 'toController';
    this.#context = { direction, session: options.session };
    this.#accepted = kindsToward[direction];
    this.#counters = options.counters;
  }

  get received(): bigint {
    return this.#received;
  }

  get seen(): bigint {
    return this.#tracker.seen;
  }

  /** Sequence of the peer's last nak on this stream. */
  get heard(): bigint {
    return this.#heard;
  }

  held(): HeldRange[] {
    return this.#held.list();
  }

  nakDueMs(): number | undefined {
    return this.#tracker.nakDueMs();
  }

  nakWritten(sequence: bigint, nowMs: number): void {
    this.#tracker.nakWritten(sequence, nowMs);
  }

  /** @param before frames that the peer's part of the handshake took */
  restart(before: bigint): void {
    this.#tracker = new SequenceTracker(before);
    this.#heard = 0n;
    this.#invalidInRow = 0;
  }

  receive(bytes: Uint8Array, sent: SentLimits, signer: FrameSigner | undefined): Received<In> {
    let frame: Frame;
    try {
      frame = decodeFrame(bytes, { ...this.#context, signer });
      checkAcknowledgement(frame, sent);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#tracker.damaged();
      return { events: this.#invalid(this.#tracker.expected, error.message), owed: answer };
    }
    const { expected } = this.#tracker;
    const order = this.#tracker.take(frame.sequence);
    if (order === 'replayed') {
      this.#counters.duplicates += 1;
      // The network repeats nothing within a stream. Under a token that is more than odd: somebody plays old frames back.
      const replay = 'replayed: this sequence was taken before';
      return { events: signer ? this.#invalid(frame.sequence, replay) : [], owed: answer };
    }
    const events: LinkEvent<In>[] = [];
    if (order === 'gap') {
      this.#counters.gaps += 1;
      events.push({ kind: 'gap', expected, received: frame.sequence });
    }
    const { ack, seen } = frame;
    this.#tracker.peerHeard(frame.heard);
    const meaning = this.#open(frame, bytes.length, events);
    if (!events.some(({ kind }) => kind === 'invalid')) this.#invalidInRow = 0;
    return {
      events,
      acknowledged: { ack, seen },
      lost: meaning === 'nak',
      ...(meaning !== 'passing' && {
        owed: { bytes: frame.payload.length, isPatient: meaning === 'patient' },
      }),
    };
  }

  #open(frame: Frame, frameBytes: number, events: LinkEvent<In>[]): Meaning {
    if (frame.payload.length === 0) {
      countTraffic(this.#counters.received, 'ack', frameBytes);
      return 'passing';
    }
    if (!this.#isNext(frame.reliable)) return 'awaited';
    try {
      const plain = unpack(frame);
      this.#counters.payloadBytes += plain.length;
      this.#counters.packedBytes += frame.payload.length;
      const { message: decoded, beside } = decodeBoth(plain);
      if (beside) {
        this.#deliver(beside, frame.sequence, events);
        countTraffic(this.#counters.received, beside.kind, 0);
      }
      if (decoded.kind !== 'unknown') {
        countTraffic(this.#counters.received, decoded.kind, frameBytes);
      }
      if (decoded.kind === 'nak') {
        this.#counters.naksReceived += 1;
        this.#heard = frame.sequence;
        this.#tracker.peerNaked();
        return 'nak';
      }
      if (decoded.kind !== 'chunk') {
        this.#deliver(decoded, frame.sequence, events);
        if (decoded.kind === 'interval') return 'patient';
        return passing.has(decoded.kind) ? 'passing' : 'awaited';
      }
      const whole = this.#reassembly.add(decoded);
      if (whole) this.#deliver(decodePayload(whole), frame.sequence, events);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      // The frame came whole: writing it again would not make it readable, so it counts as taken.
      events.push(...this.#invalid(frame.sequence, error.message));
    }
    return 'awaited';
  }

  /** Reliable frames are taken once and in order; takes note of the number. */
  #isNext(reliable: bigint): boolean {
    if (reliable === 0n) return true;
    if (reliable <= this.#received) {
      this.#counters.duplicates += 1;
      return false;
    }
    if (reliable > this.#received + 1n) {
      this.#counters.outOfOrder += 1;
      this.#tracker.trouble();
      return false;
    }
    this.#received = reliable;
    return true;
  }

  #deliver(
    decoded: ReturnType<typeof decodePayload>,
    sequence: bigint,
    events: LinkEvent<In>[],
  ): void {
    if (decoded.kind === 'intervals') {
      const { intervals } = decoded;
      if (intervals.length > mostPerFrame) {
        throw new DecodeError(`${intervals.length} intervals in one frame`);
      }
      for (const one of intervals) this.#deliver({ kind: 'interval', ...one }, sequence, events);
      return;
    }
    if (decoded.kind === 'unknown') {
      this.#counters.unknownKinds += 1;
      events.push({ kind: 'unknownKind', sequence, field: decoded.field });
      return;
    }
    if (decoded.kind === 'chunk' || !this.#accepted.has(decoded.kind)) {
      throw new DecodeError(`a ${decoded.kind} message does not belong here`);
    }
    if (decoded.kind === 'interval') {
      if (this.#held.covers(decoded)) {
        this.#counters.duplicates += 1;
        return;
      }
      if (this.#held.size >= mostHeldRanges) {
        throw new DecodeError(`intervals with more than ${mostHeldRanges} holes between them`);
      }
      this.#held.add(decoded);
    }
    events.push({ kind: 'message', message: decoded as In });
  }

  #invalid(sequence: bigint, reason: string): LinkEvent<In>[] {
    this.#counters.invalid += 1;
    this.#invalidInRow += 1;
    const events: LinkEvent<In>[] = [{ kind: 'invalid', sequence, reason }];
    if (this.#invalidInRow === mostInvalid) {
      events.push({ kind: 'tooManyInvalid', count: mostInvalid });
    }
    return events;
  }
}

function checkAcknowledgement({ ack, seen, heard }: Frame, sent: SentLimits): void {
  if (ack > sent.reliable) throw new DecodeError(`acknowledges reliable frame ${ack}, never sent`);
  if (heard > sent.sequence) throw new DecodeError(`acted on frame ${heard}, never sent`);
  if (seen > sent.sequence) throw new DecodeError(`acknowledges frame ${seen}, never sent`);
}
