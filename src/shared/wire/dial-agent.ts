import { randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock.js';
import { protocolVersion } from '../model/messages.js';
import type { AgentMessage, ControllerMessage, HelloReply } from '../model/messages.js';
import type { Access } from './access.js';
import { AgentChannel } from './agent-channel.js';
import { nonceBytes, sameBytes } from './auth.js';
import type { Nonces, Token } from './auth.js';
import type { Address } from './address.js';
import { DecodeError } from './decode-error.js';
import { DialError } from './dial-error.js';
import { AuthenticationError } from './frame.js';
import type { FrameSigner } from './frame.js';
import type { FrameStream } from './frame-stream.js';
import { handshakeFrame, readHandshakeFrame } from './handshake-frames.js';
import { mostPerFrame } from './live-pace.js';
import { oneFrame } from './one-frame.js';
import { formatAddress } from './address.js';

export type OpenRequest = Omit<
  Extract<ControllerMessage, { kind: 'open' }>,
  'kind' | 'protocol' | 'nonce' | 'intervalsPerFrame' | 'takesBeside'
>;
export type Welcome = Extract<AgentMessage, { kind: 'welcome' }>;

export interface DialOptions {
  readonly address: Address;
  readonly connectMs: number;
  /** For the answer to Hello, and again for the answer to Open. */
  readonly helloMs: number;
  readonly clock: Clock;
  readonly access?: Access;
}

/** A session's stream after the handshake, to be given to a Duplex. */
export interface DialledAgent {
  readonly hello: HelloReply;
  readonly welcome: Welcome;
  readonly stream: FrameStream;
  /** For the Duplex; undefined without a token. */
  readonly signer: FrameSigner | undefined;
  /** Closes the connection; the stream should have ended before. */
  readonly hangUp: () => void;
}

/** Connects and asks who is there, without opening a session. @throws DialError */
export async function greetAgent(options: DialOptions, signal: AbortSignal): Promise<HelloReply> {
  const channel = new AgentChannel(options.address, options.clock, options.access);
  try {
    await channel.connect(options.connectMs, signal);
    return await channel.hello(options.helloMs, signal);
  } finally {
    channel.close();
  }
}

/** Connects, asks who is there and opens a session. @throws DialError */
export async function dialAgent(
  options: DialOptions,
  request: OpenRequest,
  signal: AbortSignal,
): Promise<DialledAgent> {
  const channel = new AgentChannel(options.address, options.clock, options.access);
  let connected = false;
  let hello: HelloReply | undefined;
  try {
    await channel.connect(options.connectMs, signal);
    connected = true;
    hello = await channel.hello(options.helloMs, signal);
    const stream = channel.session();
    const { welcome, signer } = await openSession(stream, options, request, signal);
    return {
      hello,
      welcome,
      stream,
      signer,
      hangUp: () => {
        channel.close();
      },
    };
  } catch (error) {
    channel.close();
    if (error instanceof DialError) {
      Object.assign(error, { connected, instanceId: hello?.instanceId, state: hello?.state });
    }
    throw error;
  }
}

/** Open → Welcome → Confirm. @throws DialError, with the stream cancelled */
async function openSession(
  stream: FrameStream,
  { address, helloMs: timeoutMs, clock, access }: DialOptions,
  request: OpenRequest,
  signal: AbortSignal,
): Promise<{ readonly welcome: Welcome; readonly signer: FrameSigner | undefined }> {
  const token = access?.token;
  const handshakeSigner = token?.handshakeSigner();
  const name = formatAddress(address);
  const nonce = randomBytes(nonceBytes);
  const open = {
    ...({ kind: 'open', protocol: protocolVersion, nonce } as const),
    ...{ intervalsPerFrame: mostPerFrame, takesBeside: true },
    ...request,
  };
  stream.write(handshakeFrame(open, 1n, 'toAgent', handshakeSigner));
  const answer = await oneFrame(stream, { clock, timeoutMs, signal });
  try {
    const welcome = welcomeIn(answer, {
      ...{ name, timeoutMs, signer: handshakeSigner },
      steal: request.steal,
    });
    const nonces = { controller: nonce, agent: welcome.nonce };
    if (token) checkProof(token, nonces, welcome, name);
    const proof = token?.proof('controller', nonces) ?? new Uint8Array();
    stream.write(handshakeFrame({ kind: 'confirm', proof }, 2n, 'toAgent', handshakeSigner));
    return { welcome, signer: token?.streamSigner(nonces) };
  } catch (error) {
    stream.onFrame(() => undefined);
    stream.cancel();
    throw error;
  }
}

/** A Welcome that was made with the token, but not for this stream, is a replay. @throws DialError */
function checkProof(token: Token, nonces: Nonces, welcome: Welcome, name: string): void {
  const fits =
    nonces.agent.length === nonceBytes && sameBytes(token.proof('agent', nonces), welcome.proof);
  if (fits) return;
  const reason = 'its proof is not for the nonce of this stream (a replay?)';
  throw new DialError('token', `Agent ${name}: ${reason}`, { reason });
}

interface Expected {
  readonly name: string;
  readonly timeoutMs: number;
  readonly signer: FrameSigner | undefined;
  readonly steal: boolean;
}

function welcomeIn(answer: Awaited<ReturnType<typeof oneFrame>>, expected: Expected): Welcome {
  const { name, timeoutMs } = expected;
  switch (answer.outcome) {
    case 'frame':
      return readAnswer(answer.bytes, expected);
    case 'closed':
      throw wordless('network', name, `closed the new session: ${answer.reason}`);
    case 'timeout':
      throw wordless('silent', name, `did not answer Open within ${timeoutMs / 1000}s`);
    case 'cancelled':
      throw new DialError('cancelled', `Dialling agent ${name} was cancelled.`);
  }
}

function wordless(code: 'network' | 'silent', name: string, reason: string): DialError {
  return new DialError(code, `Agent ${name} ${reason}`, { reason });
}

function readAnswer(bytes: Buffer, expected: Expected): Welcome {
  const message = readAnswerFrame(bytes, expected);
  const { name } = expected;
  if (message.kind === 'welcome') return message;
  const isBusy = message.code === 'busy';
  throw new DialError(message.code, `Agent ${name} refused the session: ${message.message}`, {
    reason: message.message,
    ...(isBusy && { owner: message.owner }),
    ...(isBusy && !expected.steal && { hint: whenBusy }),
  });
}

const whenBusy =
  'Wait until the other run is over, or take its agents from it with --steal (that run loses them).';

function readAnswerFrame(bytes: Buffer, { name, signer }: Expected) {
  try {
    return readHandshakeFrame(bytes, {
      kinds: ['welcome', 'refused'],
      sequence: 1n,
      direction: 'toController',
      signer,
    });
  } catch (cause) {
    if (cause instanceof AuthenticationError) {
      const reason = 'its answer to Open was not made with the token';
      throw new DialError('token', `Agent ${name}: ${reason}`, { reason, cause });
    }
    if (!(cause instanceof DecodeError)) throw cause;
    const message = `Agent ${name} answered Open with something unreadable: ${cause.message}`;
    throw new DialError('protocol', message, { cause });
  }
}
