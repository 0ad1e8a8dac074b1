import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { FrameSigner } from './frame.js';

export const nonceBytes = 16;
export const challengeBytes = 32;

/** The random parts of a stream's handshake: of Open and of Welcome. */
export interface Nonces {
  readonly controller: Uint8Array;
  readonly agent: Uint8Array;
}

/**
 * The secret that a controller and its agents share. It never travels: keys are derived from it with HKDF-SHA256
 * (RFC 5869), and what travels are HMAC-SHA256 values (RFC 2104) under those keys. docs/protocol.md "Token" has the
 * derivation with test vectors. The secret is in a private field, so that no log, JSON or inspection can show it.
 */
export class Token {
  readonly #secret: Buffer;
  readonly #handshake: KeyObject;
  readonly #hello: KeyObject;

  constructor(secret: string) {
    this.#secret = Buffer.from(secret, 'utf8');
    this.#handshake = this.#key('handshake');
    this.#hello = this.#key('hello');
  }

  /** Of Open, Welcome, Refused and Confirm, which come before the nonces of both sides are known. */
  handshakeSigner(): FrameSigner {
    return signerOf(this.#handshake);
  }

  /** Of all other frames of the stream with these nonces. */
  streamSigner(nonces: Nonces): FrameSigner {
    return signerOf(this.#key('stream', saltOf(nonces)));
  }

  /** `proof` of Welcome (agent) or Confirm (controller): says that its sender knows the token now, not only once did. */
  proof(side: 'agent' | 'controller', nonces: Nonces): Buffer {
    return hmac(this.#key('proof', saltOf(nonces)), [Buffer.from(side)]);
  }

  /** `proof` of the second HelloRequest. */
  callerProof(challenge: Uint8Array, nonce: Uint8Array): Buffer {
    return hmac(this.#hello, [Buffer.from('caller'), challenge, nonce]);
  }

  /** `mac` of a HelloReply with details. */
  detailsMac(challenge: Uint8Array, nonce: Uint8Array, details: Uint8Array): Buffer {
    return hmac(this.#hello, [Buffer.from('agent'), challenge, nonce, details]);
  }

  #key(purpose: 'handshake' | 'hello' | 'stream' | 'proof', salt: Uint8Array = Buffer.alloc(0)) {
    return createSecretKey(
      Buffer.from(hkdfSync('sha256', this.#secret, salt, `muster v1 ${purpose}`, 32)),
    );
  }
}

/** Compares without telling by its time where the difference is. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function saltOf({ controller, agent }: Nonces): Buffer {
  return Buffer.concat([controller, agent]);
}

function signerOf(key: KeyObject): FrameSigner {
  return {
    sign: (covered) => hmac(key, covered),
    verify: (covered, mac) => sameBytes(hmac(key, covered), mac),
  };
}

function hmac(key: KeyObject, parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}
