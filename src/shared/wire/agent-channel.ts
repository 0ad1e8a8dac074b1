import { randomBytes } from 'node:crypto';
import { Client, connectivityState } from '@grpc/grpc-js';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../kernel/clock.js';
import type { HelloReply } from '../model/messages.js';
import { protocolVersion } from '../model/messages.js';
import type { Access } from './access.js';
import { formatAddress } from './address.js';
import type { Address } from './address.js';
import { nonceBytes, sameBytes } from './auth.js';
import type { Token } from './auth.js';
import { channelCredentials } from './channel-credentials.js';
import { connectCause } from './connect-cause.js';
import type { ConnectCause } from './connect-cause.js';
import { DialError } from './dial-error.js';
import { clientFrameStream } from './frame-stream.js';
import type { FrameStream } from './frame-stream.js';
import { decodeHelloReply, encodeHelloRequest } from './hello-frames.js';
import type { HelloRequest, LockedReply } from './hello-frames.js';
import { DecodeError } from './decode-error.js';
import { channelOptions, helloMethod, sessionMethod } from './service.js';
import { race } from './race.js';

type Answer = HelloReply | LockedReply | ServiceError | DecodeError;

/** Each follows the agent's address. */
const tokenRefusals = {
  wanted: 'it wants a token, and this controller has none (--token-file, or BENCH_TOKEN)',
  notWanted:
    'it has no token, so it would obey anybody, and this controller has one (--token-file of bench-agent)',
  wrong: 'it refuses the token of this controller: its own is another one',
  impostor: 'it does not know the token of this controller: something else than your agent answers',
} as const;

/** A connection to an agent, and the two calls that go over it. */
export class AgentChannel {
  readonly address: string;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #token: Token | undefined;
  readonly #usesTls: boolean;

  /** @throws MusterError when the TLS material cannot be used */
  constructor(address: Address, clock: Clock, { token, tls }: Access = {}) {
    this.address = formatAddress(address);
    this.#clock = clock;
    this.#token = token;
    this.#usesTls = tls !== undefined;
    const { credentials, options } = channelCredentials(tls, address.host);
    this.#client = new Client(this.address, credentials, { ...channelOptions, ...options });
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

  /** Asks who is there; with a token in two steps, the second of which proves that both sides know it. @throws DialError */
  async hello(timeoutMs: number, signal: AbortSignal): Promise<HelloReply> {
    const token = this.#token;
    const nonce = token ? randomBytes(nonceBytes) : new Uint8Array();
    const greeting = await this.#ask({ nonce }, timeoutMs, signal);
    if (!('locked' in greeting)) {
      if (token) throw this.#refused('token', tokenRefusals.notWanted);
      return greeting;
    }
    if (!token) throw this.#refused('token', tokenRefusals.wanted);
    const { challenge } = greeting;
    const proof = token.callerProof(challenge, nonce);
    const answer = await this.#ask({ nonce, challenge, proof }, timeoutMs, signal);
    if (!('locked' in answer)) throw this.#refused('token', tokenRefusals.notWanted);
    const { details, mac } = answer;
    if (details.length === 0) throw this.#refused('token', tokenRefusals.wrong);
    if (!sameBytes(token.detailsMac(challenge, nonce, details), mac)) {
      throw this.#refused('token', tokenRefusals.impostor);
    }
    const reply = readHello(details);
    if (reply instanceof DecodeError) throw this.#stranger(reply.message);
    if ('locked' in reply) throw this.#stranger('it answers Hello with a riddle');
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
    const result = await this.#sayHello({}).answer;
    return result instanceof Error && !(result instanceof DecodeError)
      ? connectCause(result, this.#usesTls)
      : undefined;
  }

  async #ask(
    request: Partial<HelloRequest>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<HelloReply | LockedReply> {
    let reply: Answer | undefined;
    const { call, answer } = this.#sayHello(request);
    const outcome = await race(
      answer.then((result) => (reply = result)),
      { clock: this.#clock, timeoutMs, signal },
    );
    if (outcome !== 'done') call.cancel();
    if (outcome === 'cancelled') throw this.#cancelled();
    if (reply === undefined) {
      const reason = `takes the connection, but gave no answer to Hello within ${timeoutMs / 1000}s (frozen, overloaded, or not a Muster agent)`;
      throw new DialError('silent', `Agent ${this.address} ${reason}`, { reason });
    }
    if (reply instanceof DecodeError) throw this.#stranger(reply.message);
    if (reply instanceof Error) throw this.#failed(connectCause(reply, this.#usesTls));
    if (reply.protocol !== protocolVersion) throw this.#otherProtocol(reply);
    return reply;
  }

  #sayHello(request: Partial<HelloRequest>): {
    readonly call: { cancel(): void };
    readonly answer: Promise<Answer>;
  } {
    const { path, requestSerialize, responseDeserialize } = helloMethod;
    let call: { cancel(): void } = { cancel: () => undefined };
    const answer = new Promise<Answer>((resolve) => {
      call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        encodeHelloRequest(request),
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
    if (code === 'tls') return this.#refused(code, text);
    const reason = `takes the connection, and fails when asked who it is: ${text}`;
    return new DialError(code, `Agent ${this.address} ${reason}`, { reason });
  }

  #refused(code: 'token' | 'tls', reason: string): DialError {
    return new DialError(code, `Agent ${this.address}: ${reason}`, { reason });
  }

  #stranger(text: string, hint?: string): DialError {
    const reason = `not a Muster agent: ${text}`;
    const message = `${this.address} is ${reason}`;
    return new DialError('stranger', message, { reason, ...(hint !== undefined && { hint }) });
  }

  #otherProtocol({ protocol, version }: HelloReply | LockedReply): DialError {
    const reason = `version ${version} speaks protocol ${protocol}, this controller speaks ${protocolVersion}: install the same version of Muster on all hosts`;
    return new DialError('protocol', `Agent ${this.address}: ${reason}`, { reason });
  }

  #cancelled(): DialError {
    return new DialError('cancelled', `Dialling agent ${this.address} was cancelled.`);
  }
}

function readHello(bytes: Uint8Array | undefined): HelloReply | LockedReply | DecodeError {
  try {
    return decodeHelloReply(bytes ?? Buffer.alloc(0));
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}
