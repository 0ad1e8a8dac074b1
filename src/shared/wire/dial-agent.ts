import { randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock.js';
import { protocolVersion } from '../model/messages.js';
import type { AgentMessage, ControllerMessage, HelloReply } from '../model/messages.js';
import { AgentChannel } from './agent-channel.js';
import type { Address } from './address.js';
import { DecodeError } from './codec.js';
import { DialError } from './dial-error.js';
import type { FrameStream } from './frame-stream.js';
import { handshakeFrame, readHandshakeFrame } from './handshake-frames.js';
import { oneFrame } from './one-frame.js';
import { formatAddress } from './address.js';

export type OpenRequest = Omit<
  Extract<ControllerMessage, { kind: 'open' }>,
  'kind' | 'protocol' | 'nonce'
>;
export type Welcome = Extract<AgentMessage, { kind: 'welcome' }>;

export interface DialOptions {
  readonly address: Address;
  readonly connectMs: number;
  /** For the answer to Hello, and again for the answer to Open. */
  readonly helloMs: number;
  readonly clock: Clock;
}

/** A session's stream after the handshake, to be given to a Duplex. */
export interface DialledAgent {
  readonly hello: HelloReply;
  readonly welcome: Welcome;
  readonly stream: FrameStream;
  /** Closes the connection; the stream should have ended before. */
  readonly hangUp: () => void;
}

/** Connects and asks who is there, without opening a session. @throws DialError */
export async function greetAgent(options: DialOptions, signal: AbortSignal): Promise<HelloReply> {
  const channel = new AgentChannel(options.address, options.clock);
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
  const channel = new AgentChannel(options.address, options.clock);
  let hello: HelloReply | undefined;
  try {
    await channel.connect(options.connectMs, signal);
    hello = await channel.hello(options.helloMs, signal);
    const stream = channel.session();
    const welcome = await openSession(stream, options, request, signal);
    return {
      hello,
      welcome,
      stream,
      hangUp: () => {
        channel.close();
      },
    };
  } catch (error) {
    channel.close();
    if (error instanceof DialError) error.instanceId = hello?.instanceId;
    throw error;
  }
}

/** Open → Welcome → Confirm. @throws DialError, with the stream cancelled */
async function openSession(
  stream: FrameStream,
  { address, helloMs: timeoutMs, clock }: DialOptions,
  request: OpenRequest,
  signal: AbortSignal,
): Promise<Welcome> {
  const nonce = randomBytes(16);
  const open = { kind: 'open', protocol: protocolVersion, nonce, ...request } as const;
  stream.write(handshakeFrame(open, 1n, 'toAgent'));
  const answer = await oneFrame(stream, { clock, timeoutMs, signal });
  try {
    const welcome = welcomeIn(answer, formatAddress(address), timeoutMs);
    stream.write(handshakeFrame({ kind: 'confirm', proof: new Uint8Array() }, 2n, 'toAgent'));
    return welcome;
  } catch (error) {
    stream.onFrame(() => undefined);
    stream.cancel();
    throw error;
  }
}

function welcomeIn(
  answer: Awaited<ReturnType<typeof oneFrame>>,
  name: string,
  timeoutMs: number,
): Welcome {
  switch (answer.outcome) {
    case 'frame':
      return readAnswer(answer.bytes, name);
    case 'closed':
      throw new DialError('network', `Agent ${name} closed the new session: ${answer.reason}`);
    case 'timeout':
      throw new DialError(
        'silent',
        `Agent ${name} did not answer Open within ${timeoutMs / 1000}s.`,
      );
    case 'cancelled':
      throw new DialError('cancelled', `Dialling agent ${name} was cancelled.`);
  }
}

function readAnswer(bytes: Buffer, name: string): Welcome {
  const message = readAnswerFrame(bytes, name);
  if (message.kind === 'welcome') return message;
  throw new DialError(message.code, `Agent ${name} refused the session: ${message.message}`, {
    reason: message.message,
  });
}

function readAnswerFrame(bytes: Buffer, name: string) {
  try {
    return readHandshakeFrame(bytes, {
      kinds: ['welcome', 'refused'],
      sequence: 1n,
      direction: 'toController',
    });
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    const message = `Agent ${name} answered Open with something unreadable: ${cause.message}`;
    throw new DialError('protocol', message, { cause });
  }
}
