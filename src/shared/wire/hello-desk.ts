import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock.js';
import type { HelloReply } from '../model/messages.js';
import { challengeBytes, nonceBytes, sameBytes } from './auth.js';
import type { Token } from './auth.js';
import { decodeHelloRequest, encodeHelloReply, encodeLockedReply } from './hello-frames.js';
import type { HelloRequest } from './hello-frames.js';
import type { Refusals } from './refusals.js';
import { DecodeError } from './decode-error.js';

/** A challenge is good for this long: on the slowest link its answer takes seconds. */
const challengeMs = 60_000;

export interface HelloDeskOptions {
  readonly clock: Clock;
  readonly token?: Token | undefined;
  readonly refusals: Refusals;
  readonly hello: () => HelloReply;
}

/**
 * Answers Hello on the agent. With a token, everybody is told product and version and given a challenge; who proves
 * with it that it knows the token is told the rest. A challenge is made from the time and a key of this process, so that
 * none has to be remembered, however many ask.
 */
export class HelloDesk {
  readonly #options: HelloDeskOptions;
  readonly #key = randomBytes(32);

  constructor(options: HelloDeskOptions) {
    this.#options = options;
  }

  answer(bytes: Uint8Array, peer: string): Buffer {
    const { token, hello } = this.#options;
    const request = readRequest(bytes);
    if (token) return this.#guarded(token, request, peer);
    if (request && request.nonce.length > 0) {
      this.#refused(peer, `${peer} has a token, this agent has none: it will stay away`);
    }
    return encodeHelloReply(hello());
  }

  #guarded(token: Token, request: HelloRequest | undefined, peer: string): Buffer {
    const reply = this.#options.hello();
    const { nonce, challenge, proof } = request ?? nobody;
    const problem = request ? this.#problem(token, request) : 'it is not a HelloRequest';
    if (problem === undefined) {
      const details = encodeHelloReply(reply);
      const mac = token.detailsMac(challenge, nonce, details);
      return encodeLockedReply(reply.version, { details, mac });
    }
    // With a nonce and nothing else a caller with a token begins.
    const begins = nonce.length === nonceBytes && challenge.length + proof.length === 0;
    if (!begins) {
      this.#refused(peer, `${peer} was told no more than the version of this agent: ${problem}`);
    }
    return encodeLockedReply(reply.version, { challenge: this.#challenge(this.#nowMs()) });
  }

  #problem(token: Token, { nonce, challenge, proof }: HelloRequest): string | undefined {
    if (nonce.length === 0) return 'it has no token';
    if (nonce.length !== nonceBytes) return 'its nonce has the wrong size';
    if (!this.#isFresh(challenge)) return 'its challenge is not one of mine, or too old';
    if (!sameBytes(token.callerProof(challenge, nonce), proof)) return 'its token is another one';
    return undefined;
  }

  #challenge(atMs: number): Buffer {
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(atMs));
    const mac = createHmac('sha256', this.#key).update(time).digest();
    return Buffer.concat([time, mac]).subarray(0, challengeBytes);
  }

  #isFresh(challenge: Uint8Array): boolean {
    if (challenge.length !== challengeBytes) return false;
    const atMs = Number(Buffer.from(challenge).readBigUInt64BE(0));
    const ageMs = this.#nowMs() - atMs;
    return ageMs >= 0 && ageMs <= challengeMs && sameBytes(this.#challenge(atMs), challenge);
  }

  #nowMs(): number {
    return Math.floor(this.#options.clock.nowMs());
  }

  #refused(peer: string, line: string): void {
    this.#options.refusals.refused('token', peer, line);
  }
}

const empty = new Uint8Array();
const nobody: HelloRequest = { protocol: 0, nonce: empty, challenge: empty, proof: empty };

function readRequest(bytes: Uint8Array): HelloRequest | undefined {
  try {
    return decodeHelloRequest(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
