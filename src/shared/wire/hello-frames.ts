/** Hello on the wire: what everybody is told, and what only those who know the token are. */
import { protocolVersion } from '../model/messages.js';
import type { HelloReply } from '../model/messages.js';
import { DecodeError } from './decode-error.js';
import { schemaOf } from './schema.js';

export const product = 'muster';

/** Empty where the caller has no token. */
export interface HelloRequest {
  readonly protocol: number;
  readonly nonce: Uint8Array;
  readonly challenge: Uint8Array;
  readonly proof: Uint8Array;
}

/** An agent with a token keeps the rest of its answer to itself (`challenge`), or proves that it is its own (`mac`). */
export interface LockedReply {
  readonly locked: true;
  readonly protocol: number;
  readonly version: string;
  readonly challenge: Uint8Array;
  readonly details: Uint8Array;
  readonly mac: Uint8Array;
}

const requestSchema = schemaOf('HelloRequest');
const replySchema = schemaOf('HelloReply');

export function encodeHelloRequest(request: Partial<HelloRequest> = {}): Buffer {
  return requestSchema.writer.write({ protocol: protocolVersion, ...request });
}

/** @throws DecodeError */
export function decodeHelloRequest(bytes: Uint8Array): HelloRequest {
  return requestSchema.reader.read(bytes) as unknown as HelloRequest;
}

export function encodeHelloReply(reply: HelloReply): Buffer {
  return replySchema.writer.write({ ...reply });
}

export function encodeLockedReply(
  version: string,
  rest: Partial<Pick<LockedReply, 'challenge' | 'details' | 'mac'>>,
): Buffer {
  const known = { product, protocol: protocolVersion, version, tokenRequired: true };
  return replySchema.writer.write({ ...known, ...rest });
}

/** @throws DecodeError when it is not an agent's answer; `protocol` is for the caller to judge */
export function decodeHelloReply(bytes: Uint8Array): HelloReply | LockedReply {
  const untrusted = replySchema.reader.readLeniently(bytes);
  if (untrusted['product'] !== product) {
    const name = JSON.stringify(untrusted['product']);
    throw new DecodeError(`it says it is ${name}, not ${JSON.stringify(product)}`);
  }
  const { challenge, details } = untrusted as unknown as LockedReply;
  // An agent of another version may have states that are not known here: its protocol is looked at first.
  if (challenge.length > 0 || details.length > 0 || untrusted['protocol'] !== protocolVersion) {
    return { ...(untrusted as unknown as LockedReply), locked: true };
  }
  const { challenge: _c, details: _d, mac: _m, ...reply } = replySchema.reader.read(bytes);
  return reply as unknown as HelloReply;
}
