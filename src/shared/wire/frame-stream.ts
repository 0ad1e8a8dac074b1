import { status } from '@grpc/grpc-js';
import type {
  ClientDuplexStream,
  ServerDuplexStream,
  ServiceError,
  StatusObject,
} from '@grpc/grpc-js';

/** The raw frames of one Session call, the same for both ends. Listeners are single: the last one set counts. */
export interface FrameStream {
  /** @returns false when the buffer is full: wait for onDrain */
  write(frame: Buffer): boolean;
  /** Undefined: frames wait until somebody listens again. */
  onFrame(listener: ((bytes: Buffer) => void) | undefined): void;
  onDrain(listener: () => void): void;
  /** Called once, and soon when it is set after the fact. An abrupt end and a graceful one look alike here. */
  onClosed(listener: (reason: string) => void): void;
  /** Ends our side when what was written is on its way. */
  end(): void;
  /** Ends the call at once; what was not sent is lost. */
  cancel(): void;
  /** Address of the other end, for logs. */
  readonly peer: string;
}

interface Calls {
  readonly stream: ClientDuplexStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;
  readonly peer: string;
  cancel(): void;
}

/** The controller's end. */
export function clientFrameStream(call: ClientDuplexStream<Buffer, Buffer>): FrameStream {
  const events = new StreamEvents({
    stream: call,
    peer: call.getPeer(),
    cancel: () => call.cancel(),
  });
  // 'status' is the last event of every call; 'error' comes before it when the status is not OK.
  call.on('error', (error: ServiceError) => {
    events.closing(error.details || error.message);
  });
  call.on('status', ({ code, details }: Pick<StatusObject, 'code' | 'details'>) => {
    events.closed(code === status.OK ? 'the agent ended the stream' : details);
  });
  return events;
}

/** Reason of a stream that the controller half-closed; graceful or not is for the goodbye to say. */
export const endedByController = 'the controller ended the stream';

/** The agent's end. */
export function serverFrameStream(call: ServerDuplexStream<Buffer, Buffer>): FrameStream {
  const events = new StreamEvents({
    stream: call,
    peer: call.getPeer(),
    cancel: () => {
      call.emit('error', Object.assign(new Error('ended by the agent'), { code: 1 }));
    },
  });
  call.on('error', (error: Error) => {
    events.closed(error.message);
  });
  call.on('cancelled', () => {
    events.closed('the connection was lost or cancelled');
  });
  call.on('end', () => {
    events.closed(endedByController);
  });
  return events;
}

class StreamEvents implements FrameStream {
  readonly peer: string;
  readonly #call: Calls;
  #frame: ((bytes: Buffer) => void) | undefined;
  #drain: (() => void) | undefined;
  #listener: ((reason: string) => void) | undefined;
  #reason: string | undefined;
  #reading = false;
  #closed = false;
  #ended = false;

  constructor(call: Calls) {
    this.#call = call;
    this.peer = call.peer;
    call.stream.on('drain', () => this.#drain?.());
  }

  write(frame: Buffer): boolean {
    // A call that is over takes nothing, and says so by an event of its own.
    if (this.#closed || this.#ended) return false;
    return this.#call.stream.write(frame);
  }

  onFrame(listener: ((bytes: Buffer) => void) | undefined): void {
    this.#frame = listener;
    if (!listener) {
      this.#call.stream.pause();
      return;
    }
    if (!this.#reading) this.#call.stream.on('data', (bytes: Buffer) => this.#frame?.(bytes));
    this.#reading = true;
    this.#call.stream.resume();
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  onClosed(listener: (reason: string) => void): void {
    this.#listener = listener;
    if (this.#closed) queueMicrotask(() => this.#listener?.(this.#reason ?? 'closed'));
  }

  end(): void {
    if (this.#ended || this.#closed) return;
    this.#ended = true;
    this.#call.stream.end();
  }

  cancel(): void {
    if (this.#closed) return;
    this.#call.cancel();
  }

  /** Why it will be closed; the first reason wins. */
  closing(reason: string): void {
    this.#reason ??= reason;
  }

  closed(reason: string): void {
    if (this.#closed) return;
    this.#reason ??= reason;
    this.#closed = true;
    // Ends our half as well: without it the call, and a server's shutdown, would wait for ever.
    if (!this.#ended) this.#call.stream.end();
    this.#ended = true;
    this.#listener?.(this.#reason);
  }
}
