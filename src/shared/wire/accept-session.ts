import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { protocolVersion } from '../model/messages.js';
import type { AgentMessage, ControllerMessage, Message } from '../model/messages.js';
import { DecodeError } from './codec.js';
import type { FrameStream } from './frame-stream.js';
import { handshakeFrame, readHandshakeFrame } from './handshake-frames.js';
import { oneFrame } from './one-frame.js';

/** A controller that opens a stream has this long for each of Open and Confirm. */
const handshakeMs = 10_000;

export type Open = Extract<ControllerMessage, { kind: 'open' }>;
export type WelcomeReply = Omit<
  Extract<AgentMessage, { kind: 'welcome' }>,
  'kind' | 'nonce' | 'proof'
>;
export type RefusedReply = Omit<Extract<AgentMessage, { kind: 'refused' }>, 'kind'>;

/** A stream whose Open has been read. Answer it once, with accept or refuse. */
export interface IncomingSession {
  readonly open: Open;
  /** Address of the controller's end, for logs. */
  readonly peer: string;
  /** Sends Welcome and waits for Confirm. @returns the stream for a Duplex, or undefined when the controller went away */
  accept(welcome: WelcomeReply): Promise<FrameStream | undefined>;
  /** Sends Refused and ends the stream. */
  refuse(refused: RefusedReply): void;
}

/** The agent's part of the handshake. Whatever comes in, it ends with a handled session or an ended stream. */
export async function acceptSession(
  stream: FrameStream,
  options: {
    readonly clock: Clock;
    readonly log: Log;
    readonly session: (incoming: IncomingSession) => void;
  },
): Promise<void> {
  const { clock, log, session } = options;
  const give = (reason: string): void => {
    log('warn', `A stream from ${stream.peer} was ended before it became a session: ${reason}`);
    end(stream);
  };
  const open = await expect(stream, 'open', 1n, clock);
  if (typeof open === 'string') {
    give(open);
    return;
  }
  const refuse = (refused: RefusedReply): void => {
    stream.write(handshakeFrame({ kind: 'refused', ...refused }, 1n, 'toController'));
    end(stream);
  };
  if (open.protocol !== protocolVersion) {
    const message = `this agent speaks protocol ${protocolVersion}, the controller ${open.protocol}`;
    refuse({ code: 'protocol', message, owner: undefined });
    return;
  }
  const accept = async (welcome: WelcomeReply): Promise<FrameStream | undefined> => {
    const nonce = new Uint8Array();
    const reply = { kind: 'welcome', nonce, proof: new Uint8Array(), ...welcome } as const;
    stream.write(handshakeFrame(reply, 1n, 'toController'));
    const confirm = await expect(stream, 'confirm', 2n, clock);
    if (typeof confirm !== 'string') return stream;
    give(confirm);
    return undefined;
  };
  session({ open, peer: stream.peer, accept, refuse });
}

/** @returns the message, or why it did not come */
async function expect<K extends 'open' | 'confirm'>(
  stream: FrameStream,
  kind: K,
  sequence: bigint,
  clock: Clock,
): Promise<Extract<Message, { kind: K }> | string> {
  const signal = new AbortController().signal;
  const first = await oneFrame(stream, { clock, timeoutMs: handshakeMs, signal });
  switch (first.outcome) {
    case 'closed':
      return first.reason;
    case 'timeout':
    case 'cancelled':
      return `no ${kind} within ${handshakeMs / 1000}s`;
    case 'frame':
      break;
  }
  try {
    return readHandshakeFrame<K>(first.bytes, { kinds: [kind], sequence, direction: 'toAgent' });
  } catch (error) {
    if (error instanceof DecodeError) return `decode error: ${error.message}`;
    throw error;
  }
}

/** Lets the rest of what comes in flow away, so that the call can finish. */
function end(stream: FrameStream): void {
  stream.onFrame(() => undefined);
  stream.end();
}
