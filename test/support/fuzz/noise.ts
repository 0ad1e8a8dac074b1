/** What strangers and broken peers send: seeded, so that a failure can be played again. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import type { Message } from '../../../src/shared/model/messages.js';
import { encodePayload } from '../../../src/shared/wire/codec.js';
import { encodeFrame } from '../../../src/shared/wire/frame.js';
import type { Frame, FrameContext } from '../../../src/shared/wire/frame.js';
import { agentMessages, controllerMessages, handshakeMessages } from '../arbitrary-messages.js';
import { anyAgentMessage } from '../arbitrary-agent-words.js';
import { SeededRandom } from '../sim/random.js';

const pool = 400;
const most = 2n ** 64n - 1n;

/** 64 MiB of nothing, in 64 KiB. */
const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024));

export class Noise {
  readonly random: SeededRandom;
  readonly #payloads: readonly Buffer[];

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    const sample = (arbitrary: fc.Arbitrary<Message>): Buffer[] =>
      fc.sample(arbitrary, { seed, numRuns: pool }).map((message) => encodePayload(message));
    this.#payloads = [
      ...sample(controllerMessages),
      ...sample(agentMessages),
      ...sample(anyAgentMessage),
      ...sample(handshakeMessages),
    ];
  }

  bytes(length = this.random.chance(0.01) ? 20_000 : this.random.whole(0, 200)): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at += 1) bytes[at] = this.random.next() * 256;
    return bytes;
  }

  /** Flipped, cut, extended, or with a piece of itself in the wrong place. */
  mutated(original: Uint8Array): Buffer {
    const { random } = this;
    const bytes = Buffer.from(original);
    const at = random.whole(0, Math.max(0, bytes.length - 1));
    switch (random.whole(0, 4)) {
      case 0:
        return bytes.subarray(0, at);
      case 1:
        return Buffer.concat([bytes, this.bytes(random.whole(1, 40))]);
      case 2:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.whole(0, at))]);
      default:
        for (let flips = random.whole(1, 4); flips > 0 && bytes.length > 0; flips -= 1) {
          const place = random.whole(0, bytes.length - 1);
          bytes[place] = (bytes[place] ?? 0) ^ (1 << random.whole(0, 7));
        }
        return bytes;
    }
  }

  /** Sometimes as a peer would write it, sometimes not. */
  payload(): Buffer {
    const { random } = this;
    if (random.chance(0.05)) return this.bytes();
    if (random.chance(0.1)) return this.#chunk();
    const whole = random.pick(this.#payloads);
    return random.chance(0.3) ? this.mutated(whole) : whole;
  }

  /** Well made, checksum and mac included; what it says may be anything. `frame`: what a peer would put there. */
  frame(frame: Pick<Frame, 'sequence' | 'reliable'>, context: FrameContext): Buffer {
    const { random } = this;
    const number = (usual: bigint, odds = 0.01): bigint =>
      random.chance(odds) ? random.pick([0n, 1n, usual + 1n, usual + 5n, most, most / 2n]) : usual;
    const header = {
      // A stream is deaf after the greatest of all sequences.
      sequence: number(frame.sequence, 0.001),
      reliable: number(frame.reliable),
      ack: number(0n),
      seen: number(0n),
      heard: number(0n),
    };
    if (random.chance(0.0005))
      return encodeFrame({ ...header, encoding: 'DEFLATE', payload: bomb }, context);
    const payload = this.payload();
    if (random.chance(0.1)) {
      const packed = deflateRawSync(payload);
      const deflated = random.chance(0.5) ? packed : this.mutated(packed);
      return encodeFrame({ ...header, encoding: 'DEFLATE', payload: deflated }, context);
    }
    return encodeFrame({ ...header, encoding: 'PLAIN', payload }, context);
  }

  #chunk(): Buffer {
    const { random } = this;
    const count = random.pick([0, 1, 2, 3, 4096, 2 ** 32 - 1]);
    return encodePayload({
      kind: 'chunk',
      transfer: random.whole(0, 5),
      index: random.pick([0, 0, 1, 2, count]),
      count,
      data: this.bytes(random.pick([0, 10, 16_384, 16_385])),
    });
  }
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in use after everything that can go has gone. */
export function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
