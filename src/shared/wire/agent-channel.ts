import { Client, connectivityState, credentials } from '@grpc/grpc-js';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../kernel/clock.js';
import type { HelloReply } from '../model/messages.js';
import { protocolVersion } from '../model/messages.js';
import { formatAddress } from './address.js';
import type { Address } from './address.js';
import { connectCause } from './connect-cause.js';
import type { ConnectCause } from './connect-cause.js';
import { DialError } from './dial-error.js';
import { clientFrameStream } from './frame-stream.js';
import type { FrameStream } from './frame-stream.js';
import { DecodeError } from './schema.js';
import {
  channelOptions,
  decodeHelloReply,
  encodeHelloRequest,
  helloMethod,
  sessionMethod,
} from './service.js';
import { race } from './race.js';

/** A connection to an agent, and the two calls that go over it. */
export class AgentChannel {
  readonly address: string;
  readonly #client: Client;
  readonly #clock: Clock;

  constructor(address: Address, clock: Clock) {
    this.address = formatAddress(address);
    this.#clock = clock;
    this.#client = new Client(this.address, credentials.createInsecure(), channelOptions);
  }

  /**
   * Waits until the channel is ready, trying again as long as there is time: an agent may be just starting.
   * @throws DialError with the last real cause
   */
  async connect(timeoutMs: number, signal: AbortSignal): Promise<void> {
    let cause: ConnectCause | undefined;
    const attempt = async (): Promise<void> => {
      while (!(await this.#ready())) {
        cause = await this.#probe();
        if (cause?.final) return;
      }
    };
    const outcome = await race(attempt(), { clock: this.#clock, timeoutMs, signal });
    if (outcome === 'cancelled') throw this.#cancelled();
    if (outcome === 'done' && !cause?.final) return;
    throw this.#unreachable(cause, timeoutMs);
  }

  /** @throws DialError */
  async hello(timeoutMs: number, signal: AbortSignal): Promise<HelloReply> {
    let reply: HelloReply | ServiceError | DecodeError | undefined;
    const { call, answer } = this.#sayHello();
    const outcome = await race(
      answer.then((result) => (reply = result)),
      { clock: this.#clock, timeoutMs, signal },
    );
    if (outcome !== 'done') call.cancel();
    if (outcome === 'cancelled') throw this.#cancelled();
    if (reply === undefined) {
      throw new DialError(
        'silent',
        `Agent ${this.address} does not answer: no reply to Hello within ${timeoutMs / 1000}s.`,
      );
    }
    if (reply instanceof DecodeError) throw this.#stranger(reply.message);
    if (reply instanceof Error) throw this.#failed(connectCause(reply));
    if (reply.protocol !== protocolVersion) throw this.#otherProtocol(reply);
    return reply;
  }

  /** Opens the Session call; the handshake is still to come. */
  session(): FrameStream {
    const { path, requestSerialize, responseDeserialize } = sessionMethod;
    const call: ClientDuplexStream<Buffer, Buffer> = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
    );
    return clientFrameStream(call);
  }

  close(): void {
    this.#client.close();
  }

  /** Resolves with the state after the present attempt: true when the channel is ready. */
  async #ready(): Promise<boolean> {
    const channel = this.#client.getChannel();
    for (;;) {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) return true;
      const changed = new Promise<void>((resolve, reject) => {
        channel.watchConnectivityState(state, Infinity, (error) => {
          if (error) reject(error);
          else resolve();
        });
      });
      await changed;
      if (channel.getConnectivityState(false) === connectivityState.TRANSIENT_FAILURE) return false;
    }
  }

  /** In a failed channel a call fails at once, and says why. */
  async #probe(): Promise<ConnectCause | undefined> {
    const result = await this.#sayHello().answer;
    return result instanceof Error && !(result instanceof DecodeError)
      ? connectCause(result)
      : undefined;
  }

  #sayHello(): {
    readonly call: { cancel(): void };
    readonly answer: Promise<HelloReply | ServiceError | DecodeError>;
  } {
    const { path, requestSerialize, responseDeserialize } = helloMethod;
    let call: { cancel(): void } = { cancel: () => undefined };
    const answer = new Promise<HelloReply | ServiceError | DecodeError>((resolve) => {
      call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        encodeHelloRequest(),
        (error, bytes) => {
          resolve(error ?? readHello(bytes));
        },
      );
    });
    return { call, answer };
  }

  #unreachable(cause: ConnectCause | undefined, timeoutMs: number): DialError {
    if (cause?.final) return this.#failed(cause);
    const { code, text, hint } = cause ?? {
      code: 'silent' as const,
      text: 'no answer (host down, packets dropped by a firewall, or the agent is frozen)',
      hint: undefined,
    };
    const message = `Agent ${this.address} unreachable after ${timeoutMs / 1000}s: ${text}`;
    return new DialError(code, message, { reason: text, ...(hint !== undefined && { hint }) });
  }

  #failed({ code, text, hint }: ConnectCause): DialError {
    if (code === 'stranger') return this.#stranger(text, hint);
    const reason = `failed while being asked for its name: ${text}`;
    return new DialError(code, `Agent ${this.address} ${reason}`, { reason });
  }

  #stranger(text: string, hint?: string): DialError {
    const reason = `not a Muster agent: ${text}`;
    const message = `${this.address} is ${reason}`;
    return new DialError('stranger', message, { reason, ...(hint !== undefined && { hint }) });
  }

  #otherProtocol({ protocol, version }: HelloReply): DialError {
    const reason = `version ${version} speaks protocol ${protocol}, this controller speaks ${protocolVersion}: install the same version of Muster on all hosts`;
    return new DialError('protocol', `Agent ${this.address}: ${reason}`, { reason });
  }

  #cancelled(): DialError {
    return new DialError('cancelled', `Dialling agent ${this.address} was cancelled.`);
  }
}

function readHello(bytes: Buffer | undefined): HelloReply | DecodeError {
  try {
    return decodeHelloReply(bytes ?? Buffer.alloc(0));
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}
