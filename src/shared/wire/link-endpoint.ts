import type {
  AgentMessage,
  ControllerMessage,
  HeldRange,
  Message,
  MessageKind,
} from '../model/messages.js';
import { Acknowledgements } from './acknowledgements.js';
import type { Taken } from './acknowledgements.js';
import { encodePayload } from './codec.js';
import { pack } from './compression.js';
import type { Packed } from './compression.js';
import { encodeFrame } from './frame.js';
import type { FrameContext, FrameSigner } from './frame.js';
import { Inbound } from './inbound.js';
import type { LinkEvent } from './inbound.js';
import { countTraffic, metricsOf, noTraffic } from '../model/link-metrics.js';
import type { CountedKind, LinkMetrics } from '../model/link-metrics.js';
import type { MergeHistograms } from './merge-intervals.js';
import { Outbound } from './outbound.js';
import type { Candidate, PeerState, Unacked } from './outbound.js';

export type { LinkEvent } from './inbound.js';

export type Side = 'controller' | 'agent';

export interface EndpointOptions {
  readonly side: Side;
  /** Run id; covered by the checksum. */
  readonly session: string;
  readonly mergeHistograms: MergeHistograms;
  /**
   * What was received is acknowledged only up to the last `confirm`: a controller confirms what is in its journal.
   * Default: everything is acknowledged that was delivered to the application.
   */
  readonly confirms?: boolean;
  /** An unreliable message to go in place of a frame that would only acknowledge. */
  readonly besidesAck?: (nowMs: number) => Message | undefined;
}

/** Of the handshake, and of the link itself. */
const unsendable: ReadonlySet<MessageKind> = new Set([
  'open',
  'welcome',
  'refused',
  'confirm',
  'nak',
]);

/** Frames that the handshake takes from each side's sequence: Open and Confirm, Welcome. */
const handshakeFrames: Readonly<Record<Side, bigint>> = { controller: 2n, agent: 1n };

/**
 * One side of one session, over all its streams: sequences, acknowledgement, replay, lanes and bulk credit of
 * docs/protocol.md. It does no I/O and reads no clock; instants are milliseconds on any monotonic clock.
 */
export class LinkEndpoint<Out extends Message = Message, In extends Message = Message> {
  readonly #side: Side;
  readonly #context: FrameContext;
  readonly #counters = noTraffic();
  readonly #outbound: Outbound;
  readonly #inbound: Inbound<In>;
  readonly #acks: Acknowledgements;
  readonly #besidesAck: (nowMs: number) => Message | undefined;
  #signer: FrameSigner | undefined;
  #generation: number | undefined;
  /** Of the next frame on the present stream. */
  #sequence = 1n;

  constructor(options: EndpointOptions) {
    const { side, session, mergeHistograms, confirms = false } = options;
    this.#side = side;
    this.#context = { direction: side === 'agent' ? 'toController' : 'toAgent', session };
    this.#outbound = new Outbound(mergeHistograms, this.#counters);
    this.#inbound = new Inbound({ side, session, counters: this.#counters });
    this.#acks = new Acknowledgements(this.#inbound, confirms);
    this.#besidesAck = options.besidesAck ?? (() => undefined);
  }

  /** Highest contiguous reliable number delivered to the application, and confirmed by it. */
  get received(): bigint {
    return this.#acks.ack;
  }

  /** Undefined between streams. */
  get generation(): number | undefined {
    return this.#generation;
  }

  /** Everything reliable has been acked and every interval has been seen by the peer. */
  get settled(): boolean {
    const { reliable, queued, intervals } = this.unacked();
    return reliable + queued + intervals === 0;
  }

  /** A frame that only acknowledges is going to be due, unless another frame goes before. */
  get owesAck(): boolean {
    return this.#acks.dueMs() !== undefined;
  }

  /** The interval ranges delivered so far: what Open tells the agent on a resume. */
  held(): HeldRange[] {
    return this.#inbound.held();
  }

  /**
   * A new stream is open and its handshake done: sequences begin again, unacked reliable frames are written again from
   * `peerReceived` + 1, unacked intervals but for those in `held`. For an agent, `options` has what Open says.
   */
  attach(
    generation: number,
    nowMs: number,
    peerReceived: bigint,
    options: PeerState & { readonly signer?: FrameSigner } = {},
  ): void {
    this.#generation = generation;
    this.#signer = options.signer;
    this.#counters.streams += 1;
    this.#sequence = handshakeFrames[this.#side] + 1n;
    const before = handshakeFrames[this.#side === 'agent' ? 'controller' : 'agent'];
    this.#inbound.restart(before);
    this.#acks.restart(before);
    this.#outbound.interrupt();
    this.#outbound.restart(peerReceived, options, nowMs);
  }

  /** The stream is gone. Reliable frames and intervals are kept for the next one, the rest is given up and counted. */
  detach(): void {
    this.#generation = undefined;
    this.#outbound.interrupt();
  }

  /** @throws RangeError when a number does not fit its field, Error for a kind of the handshake */
  send(message: Out): void {
    if (unsendable.has(message.kind)) {
      throw new Error(`${message.kind} is not sent through the endpoint`);
    }
    this.#outbound.enqueue(message, this.#generation !== undefined);
  }

  /** What poll would return, without taking it. */
  peek(nowMs: number): CountedKind | undefined {
    if (this.#generation === undefined) return undefined;
    if (due(this.#inbound.nakDueMs(), nowMs)) return 'nak';
    const candidate = this.#outbound.next(nowMs);
    if (candidate) return kindOf(candidate);
    return due(this.#acks.dueMs(), nowMs) ? 'ack' : undefined;
  }

  /** The next frame to write on the present stream; undefined: nothing may go now. */
  poll(nowMs: number): Buffer | undefined {
    if (this.#generation === undefined) return undefined;
    if (due(this.#inbound.nakDueMs(), nowMs)) return this.#nak(nowMs);
    const candidate = this.#outbound.next(nowMs);
    if (candidate) {
      const { packed, plainBytes } = this.#outbound.packed(candidate);
      const reliable = this.#outbound.wrote(candidate, this.#sequence);
      this.#counters.payloadBytes += plainBytes;
      this.#counters.packedBytes += packed.payload.length;
      return this.#frame(kindOf(candidate), reliable, packed);
    }
    if (!due(this.#acks.dueMs(), nowMs)) return undefined;
    const message = this.#besidesAck(nowMs);
    if (!message) return this.#frame('ack', 0n, { encoding: 'PLAIN', payload: new Uint8Array() });
    return this.#frame(message.kind, 0n, pack(encodePayload(message)));
  }

  /** When poll may have something although nothing was sent or received: a delayed acknowledgement or nak. */
  wakeAt(): number | undefined {
    if (this.#generation === undefined) return undefined;
    const [nak, ack] = [this.#inbound.nakDueMs(), this.#acks.dueMs()];
    if (nak === undefined || ack === undefined) return nak ?? ack;
    return Math.min(nak, ack);
  }

  /** @param generation of the stream that the bytes came on; frames of a stream that was replaced are ignored */
  receive(
    bytes: Uint8Array,
    nowMs: number,
    generation = this.#generation,
  ): readonly LinkEvent<In>[] {
    if (this.#generation === undefined || generation !== this.#generation) {
      this.#counters.stale += 1;
      return [];
    }
    const limits = { reliable: this.#outbound.lastNumber, sequence: this.#sequence - 1n };
    const {
      events: heard,
      acknowledged,
      lost,
      owed,
    } = this.#inbound.receive(bytes, limits, this.#signer);
    if (acknowledged) {
      this.#outbound.acknowledged(acknowledged.ack, acknowledged.seen, nowMs);
      if (lost) this.#outbound.rewind(acknowledged.seen);
    }
    const changes = this.#outbound.takeChanges();
    const adapted = changes.map((line) => ({ kind: 'adapted', line }) as const);
    const events = changes.length > 0 ? [...heard, ...adapted] : heard;
    if (owed) this.#acks.received(owed, nowMs);
    return events;
  }

  /** How far the present stream has been read. Taken once per frame, and given back to `confirm`. */
  take(): Taken {
    return this.#acks.take(this.#generation);
  }

  /** What had been received by then is safe: it may be acknowledged now. In any order; older ones change nothing. */
  confirm(taken: Taken, nowMs: number): void {
    this.#acks.confirm(taken, this.#generation, nowMs);
  }

  unacked(): Unacked {
    return this.#outbound.unacked();
  }

  metrics(): LinkMetrics {
    return metricsOf(this.#counters, this.#outbound.intervals);
  }

  /** The stream was full: an attempt to write failed, or all of them. */
  couldNotWrite(what: 'retries' | 'backlogs'): void {
    this.#counters[what] += 1;
  }

  #nak(nowMs: number): Buffer {
    const from = this.#inbound.received + 1n;
    const frame = this.#frame('nak', 0n, pack(encodePayload({ kind: 'nak', from })));
    this.#inbound.nakWritten(this.#sequence - 1n, nowMs);
    this.#counters.naksSent += 1;
    return frame;
  }

  #frame(kind: CountedKind, reliable: bigint, { encoding, payload }: Packed): Buffer {
    const { ack, seen } = this.#acks;
    const { heard } = this.#inbound;
    const bytes = encodeFrame(
      { sequence: this.#sequence, reliable, ack, seen, heard, encoding, payload },
      { ...this.#context, signer: this.#signer },
    );
    this.#sequence += 1n;
    this.#acks.wrote();
    countTraffic(this.#counters.sent, kind, bytes.length);
    return bytes;
  }
}

export function controllerEndpoint(
  options: Omit<EndpointOptions, 'side'>,
): LinkEndpoint<ControllerMessage, AgentMessage> {
  return new LinkEndpoint({ side: 'controller', ...options });
}

export function agentEndpoint(
  options: Omit<EndpointOptions, 'side'>,
): LinkEndpoint<AgentMessage, ControllerMessage> {
  return new LinkEndpoint({ side: 'agent', ...options });
}

function kindOf(candidate: Candidate): CountedKind {
  return 'item' in candidate ? candidate.item.kind : candidate.frame.kind;
}

function due(atMs: number | undefined, nowMs: number): boolean {
  return atMs !== undefined && atMs <= nowMs;
}
