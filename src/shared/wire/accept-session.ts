import { randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock.js';
import type { AgentMessage, ControllerMessage, Message } from '../model/messages.js';
import { nonceBytes, sameBytes } from './auth.js';
import type { Nonces, Token } from './auth.js';
import { checkOpen } from './check-open.js';
import { DecodeError } from './decode-error.js';
import { AuthenticationError } from './frame.js';
import type { FrameSigner } from './frame.js';
import type { FrameStream } from './frame-stream.js';
import { handshakeFrame, readHandshakeFrame } from './handshake-frames.js';
import type { HandshakeRoom } from './handshake-room.js';
import { oneFrame } from './one-frame.js';
import type { FirstFrame } from './one-frame.js';
import type { RefusalKind, Refusals } from './refusals.js';

/** A controller that opens a stream has this long for each of Open and Confirm. */
const handshakeMs = 10_000;

export type Open = Extract<ControllerMessage, { kind: 'open' }>;
export type WelcomeReply = Omit<
  Extract<AgentMessage, { kind: 'welcome' }>,
  'kind' | 'nonce' | 'proof'
>;
export type RefusedReply = Omit<Extract<AgentMessage, { kind: 'refused' }>, 'kind'>;

/** For a Duplex. */
export interface AcceptedStream {
  readonly stream: FrameStream;
  /** Undefined without a token. */
  readonly signer: FrameSigner | undefined;
}

/** A stream whose Open has been read, and was made with the token if there is one. Answer it once, with accept or refuse. */
export interface IncomingSession {
  readonly open: Open;
  /** Address of the controller's end, for logs. */
  readonly peer: string;
  /** Sends Welcome and waits for Confirm. @returns undefined when the controller went away or could not prove itself */
  accept(welcome: WelcomeReply): Promise<AcceptedStream | undefined>;
  /** Sends Refused and ends the stream. */
  refuse(refused: RefusedReply): void;
}

export interface AcceptOptions {
  readonly clock: Clock;
  readonly token?: Token | undefined;
  readonly room: HandshakeRoom;
  readonly refusals: Refusals;
  readonly session: (incoming: IncomingSession) => void;
}

/** The agent's part of the handshake. Whatever comes in, it ends with a handled session or an ended stream. */
export async function acceptSession(stream: FrameStream, options: AcceptOptions): Promise<void> {
  const handshake = new Handshake(stream, options);
  const open = await handshake.expect('open', 1n);
  if (!open) return;
  const problem = checkOpen(open, options.token !== undefined);
  if (problem !== undefined) {
    handshake.refuse('a controller', { code: 'protocol', message: problem, owner: undefined });
    return;
  }
  options.session({
    open,
    peer: stream.peer,
    accept: (welcome) => handshake.accept(open, welcome),
    refuse: (refused) => {
      handshake.refuse(open.identity, refused);
    },
  });
}

/** One stream on its way to become a session. */
class Handshake {
  readonly #stream: FrameStream;
  readonly #options: AcceptOptions;
  readonly #evicted = new AbortController();
  readonly #signer: FrameSigner | undefined;
  readonly #leave: () => void;

  constructor(stream: FrameStream, options: AcceptOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#signer = options.token?.handshakeSigner();
    this.#leave = options.room.enter(() => {
      this.#evicted.abort();
    });
  }

  /** @returns undefined when it did not come; the stream is ended then */
  async expect<K extends 'open' | 'confirm'>(
    kind: K,
    sequence: bigint,
  ): Promise<Extract<Message, { kind: K }> | undefined> {
    const { clock } = this.#options;
    const signal = this.#evicted.signal;
    const first = await oneFrame(this.#stream, { clock, timeoutMs: handshakeMs, signal });
    if (first.outcome === 'frame') return this.#read(first.bytes, kind, sequence);
    this.#give('handshake', whyNothingCame(first, kind));
    return undefined;
  }

  async accept(open: Open, welcome: WelcomeReply): Promise<AcceptedStream | undefined> {
    const { token } = this.#options;
    const nonces: Nonces = {
      controller: open.nonce,
      agent: token ? randomBytes(nonceBytes) : new Uint8Array(),
    };
    const proof = token?.proof('agent', nonces) ?? new Uint8Array();
    this.#write({ kind: 'welcome', nonce: nonces.agent, proof, ...welcome }, this.#signer);
    const confirm = await this.expect('confirm', 2n);
    if (!confirm) return undefined;
    if (token && !sameBytes(token.proof('controller', nonces), confirm.proof)) {
      this.#give('token', 'its proof is not for the nonce of this stream (a replay?)');
      return undefined;
    }
    this.#leave();
    return { stream: this.#stream, signer: token?.streamSigner(nonces) };
  }

  refuse(who: string, refused: RefusedReply): void {
    const { peer } = this.#stream;
    this.#options.refusals.refused('run', peer, `Refused ${who} (${peer}): ${refused.message}`);
    this.#write({ kind: 'refused', ...refused }, this.#signer);
    this.#end();
  }

  #read<K extends 'open' | 'confirm'>(bytes: Buffer, kind: K, sequence: bigint) {
    const signer = this.#signer;
    try {
      return readHandshakeFrame<K>(bytes, {
        kinds: [kind],
        sequence,
        direction: 'toAgent',
        signer,
      });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      if (error instanceof AuthenticationError) this.#withoutToken(kind);
      else this.#give('handshake', `decode error: ${error.message}`);
      return undefined;
    }
  }

  #withoutToken(kind: 'open' | 'confirm'): void {
    if (kind === 'open') {
      const message = 'this agent wants a token, and this is not it (--token-file)';
      // Not signed: who does not know the token gets nothing made with it, which could be used to guess it at leisure.
      this.#write({ kind: 'refused', code: 'token', message, owner: undefined }, undefined);
    }
    this.#give('token', `its ${kind} was not made with the token`);
  }

  #give(kind: RefusalKind, reason: string): void {
    const { peer } = this.#stream;
    const line = `A stream from ${peer} was ended before it became a session: ${reason}`;
    this.#options.refusals.refused(kind, peer, line);
    this.#end();
  }

  #write(message: Message, signer: FrameSigner | undefined): void {
    this.#stream.write(handshakeFrame(message, 1n, 'toController', signer));
  }

  /** Lets the rest of what comes in flow away, so that the call can finish. */
  #end(): void {
    this.#leave();
    this.#stream.onFrame(() => undefined);
    this.#stream.end();
  }
}

function whyNothingCame(first: Exclude<FirstFrame, { outcome: 'frame' }>, kind: string): string {
  switch (first.outcome) {
    case 'closed':
      return first.reason;
    case 'timeout':
      return `no ${kind} within ${handshakeMs / 1000}s`;
    case 'cancelled':
      return 'too many others came while this one said nothing';
  }
}
