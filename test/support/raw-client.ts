/** A foreign gRPC client: what it sends into a session is up to it, byte by byte. */
import { Client, credentials } from '@grpc/grpc-js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { AgentMessage, ControllerMessage } from '../../src/shared/model/messages.js';
import type { Access } from '../../src/shared/wire/access.js';
import type { FrameSigner } from '../../src/shared/wire/frame.js';
import { handshakeFrame, readHandshakeFrame } from '../../src/shared/wire/handshake-frames.js';

const same = (bytes: Buffer): Buffer => bytes;

/** Opens a session on the agent, writes these frames, and waits until the agent has ended it. */
export async function sendFrames(address: string, frames: readonly Buffer[]): Promise<string> {
  const session = new RawSession(address);
  for (const frame of frames) session.write(frame);
  try {
    return await session.ended;
  } finally {
    session.close();
  }
}

/** One Session call without anything that makes sense of it. */
export class RawSession {
  /** Resolves with how the agent ended it. */
  readonly ended: Promise<string>;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #arrived: Buffer[] = [];
  #wake: (() => void) | undefined;

  /** @param agent address, or port on 127.0.0.1 */
  constructor(agent: string | number) {
    const address = typeof agent === 'number' ? `127.0.0.1:${agent}` : agent;
    this.#client = new Client(address, credentials.createInsecure());
    this.#call = this.#client.makeBidiStreamRequest('/muster.v1.Agent/Session', same, same);
    this.#call.on('data', (bytes: Buffer) => {
      this.#arrived.push(bytes);
      this.#wake?.();
    });
    this.ended = new Promise((resolve) => {
      this.#call.on('error', (error) => {
        resolve(error.message);
      });
      this.#call.on('end', () => {
        resolve('ended');
      });
    });
    void this.ended.then(() => {
      this.#client.close();
    });
  }

  /** @returns false when the other side is behind with reading */
  write(frame: Buffer): boolean {
    return this.#call.write(frame);
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#call.once('drain', resolve);
    });
  }

  /** The next frame from the agent. */
  async next(): Promise<Buffer> {
    for (;;) {
      const frame = this.#arrived.shift();
      if (frame) return frame;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const outcome = await Promise.race([woken, this.ended]);
      if (outcome !== undefined) throw new Error(`no frame, the session is over: ${outcome}`);
    }
  }

  async refused(): Promise<Extract<AgentMessage, { kind: 'refused' }>> {
    const expected = { sequence: 1n, direction: 'toController' } as const;
    return readHandshakeFrame(await this.next(), { kinds: ['refused'], ...expected });
  }

  /** Open, Welcome, Confirm. @returns what signs the frames from sequence 3 on; undefined without a token */
  async handshake(
    open: Extract<ControllerMessage, { kind: 'open' }>,
    { token }: Access = {},
  ): Promise<{ readonly stream: FrameSigner | undefined }> {
    const signer = token?.handshakeSigner();
    this.write(handshakeFrame(open, 1n, 'toAgent', signer));
    const place = { sequence: 1n, direction: 'toController', signer } as const;
    const { nonce } = readHandshakeFrame(await this.next(), { kinds: ['welcome'], ...place });
    const nonces = { controller: open.nonce, agent: nonce };
    const proof = token?.proof('controller', nonces) ?? new Uint8Array();
    this.write(handshakeFrame({ kind: 'confirm', proof }, 2n, 'toAgent', signer));
    return { stream: token?.streamSigner(nonces) };
  }

  close(): void {
    this.#call.cancel();
    this.#client.close();
  }
}
