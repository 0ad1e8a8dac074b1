import type { Cancel, Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { Message } from '../model/messages.js';
import type { FrameSigner } from './frame.js';
import { endedByController } from './frame-stream.js';
import type { FrameStream } from './frame-stream.js';
import type { LinkEndpoint, LinkEvent } from './link-endpoint.js';
import type { PeerState } from './outbound.js';
import { SenderPump } from './sender-pump.js';

/** After `close` the peer has this long to end its side before the call is cancelled. */
const closeGraceMs = 1000;

export interface StreamEnd {
  readonly generation: number;
  readonly reason: string;
  /** The peer said goodbye; everything else is an accident. */
  readonly graceful: boolean;
}

export interface DuplexOptions<Out extends Message, In extends Message> extends PeerState {
  /** After the handshake. */
  readonly stream: FrameStream;
  readonly endpoint: LinkEndpoint<Out, In>;
  readonly generation: number;
  /** What the peer said it has: `received` of Open or Welcome. */
  readonly peerReceived: bigint;
  readonly signer?: FrameSigner | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly onEvent: (event: LinkEvent<In>) => void;
  /** At a frame, when everything sent so far is settled (see LinkEndpoint.settled). */
  readonly onSettled?: () => void;
  readonly onEnd: (end: StreamEnd) => void;
  /**
   * Calls `safe` (soon, or at once) when all that was given to onEvent so far is where a crash cannot reach it; only
   * then is it acknowledged. For an endpoint that confirms.
   */
  readonly whenSafe?: (safe: () => void) => void;
  /** Asked when all of that is settled: whether the peer is to keep what it sent. */
  readonly mustKeep?: (() => boolean) | undefined;
}

/** One stream of a session: carries the endpoint's frames over a call until the call ends. */
export class Duplex<Out extends Message = Message, In extends Message = Message> {
  readonly #options: DuplexOptions<Out, In>;
  readonly #pump: SenderPump;
  #graceful = false;
  #reason: string | undefined;
  #ended = false;
  #graceTimer: Cancel | undefined;
  /** Frames taken that are not safe yet; the present one counts from its first event. */
  #unsafe = 0;
  /** The last words and the end, which acknowledge everything: they wait until all of it is safe. */
  #last: (() => void)[] = [];

  constructor(options: DuplexOptions<Out, In>) {
    this.#options = options;
    const { stream, endpoint, generation, peerReceived, signer, clock, log } = options;
    const { held, intervalsPerFrame, takesBeside } = options;
    endpoint.attach(generation, clock.nowMs(), peerReceived, {
      ...{ held, intervalsPerFrame, takesBeside },
      ...(signer && { signer }),
    });
    this.#pump = new SenderPump({
      source: endpoint,
      write: (frame) => stream.write(frame),
      clock,
      log,
    });
    stream.onDrain(() => {
      this.#pump.drained();
    });
    stream.onFrame((bytes) => {
      this.#receive(bytes);
    });
    stream.onClosed((reason) => {
      this.#end(reason);
    });
    this.#pump.wake();
  }

  /** The endpoint keeps it when the stream is full or gone. */
  send(message: Out): void {
    const send = (sent: Out): void => {
      this.#options.endpoint.send(sent);
      this.flush();
    };
    if (message.kind !== 'goodbye') send(message);
    else {
      this.#lastly(() => {
        send(this.#options.mustKeep?.() === true ? { ...message, keep: true } : message);
      });
    }
  }

  /** The endpoint has something more to write. */
  flush(): void {
    this.#pump.wake();
  }

  /** Writes what may still go and ends the stream; a peer that does not end its side is cut off after a second. */
  close(reason: string): void {
    this.#reason ??= reason;
    this.#lastly(() => {
      this.#close();
    });
  }

  #close(): void {
    if (this.#ended || this.#graceTimer) return;
    this.#pump.wake();
    this.#pump.stop();
    const { stream, clock } = this.#options;
    this.#graceTimer = clock.after(closeGraceMs, () => {
      stream.cancel();
    });
    stream.end();
  }

  /** Ends the stream at once; what was not sent stays in the endpoint. */
  cancel(reason: string): void {
    if (this.#ended) return;
    this.#reason ??= reason;
    this.#pump.stop();
    this.#options.stream.cancel();
  }

  #receive(bytes: Buffer): void {
    const { endpoint, generation, clock, onEvent, onSettled, whenSafe } = this.#options;
    if (this.#ended) return;
    this.#unsafe += 1;
    const events = endpoint.receive(bytes, clock.nowMs(), generation);
    // Before what came with it is acted on: a goodbye brings the last acknowledgement.
    if (onSettled !== undefined && endpoint.settled) onSettled();
    for (const event of events) {
      if (event.kind === 'message' && event.message.kind === 'goodbye') this.#graceful = true;
      onEvent(event);
      if (event.kind === 'tooManyInvalid') this.cancel(`${event.count} invalid frames in a row`);
    }
    const taken = endpoint.take();
    (whenSafe ?? atOnce)(() => {
      endpoint.confirm(taken, clock.nowMs());
      this.#unsafe -= 1;
      this.#pump.wake();
      if (this.#unsafe === 0) for (const say of this.#last.splice(0)) say();
    });
  }

  #lastly(say: () => void): void {
    if (this.#unsafe > 0) this.#last.push(say);
    else say();
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pump.stop();
    this.#graceTimer?.();
    const { endpoint, generation, onEnd } = this.#options;
    // A newer stream may have the endpoint already.
    if (endpoint.generation === generation) endpoint.detach();
    onEnd({ generation, reason: this.#reason ?? this.#cause(reason), graceful: this.#graceful });
  }
  /** Of a process that was killed only the end of its stream is seen, the same as of one that ended it. */
  #cause(reason: string): string {
    const abrupt = reason === endedByController && !this.#graceful;
    return abrupt ? 'the stream ended without a goodbye' : reason;
  }
}

function atOnce(safe: () => void): void {
  safe();
}
