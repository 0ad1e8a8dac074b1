/** Before authentication: everything that can come in at an agent's door. */
import assert from 'node:assert/strict';
import { acceptSession } from '../../../src/shared/wire/accept-session.js';
import type { AcceptOptions } from '../../../src/shared/wire/accept-session.js';
import { Token } from '../../../src/shared/wire/auth.js';
import { decodeHelloReply, encodeHelloRequest } from '../../../src/shared/wire/hello-frames.js';
import type { FrameStream } from '../../../src/shared/wire/frame-stream.js';
import { handshakeFrame } from '../../../src/shared/wire/handshake-frames.js';
import { HandshakeRoom } from '../../../src/shared/wire/handshake-room.js';
import { HelloDesk } from '../../../src/shared/wire/hello-desk.js';
import { Refusals } from '../../../src/shared/wire/refusals.js';
import { openOf } from '../agent-driver.js';
import { ManualClock } from '../manual-clock.js';
import { helloReply } from '../wire-pair.js';
import type { Noise } from './noise.js';

/** A stream on which these frames come, one each time somebody listens. */
class OfferedStream implements FrameStream {
  readonly peer = 'stranger';
  readonly written: Buffer[] = [];
  ended = false;
  #offered: readonly Buffer[];
  #closed: ((reason: string) => void) | undefined;

  constructor(offered: readonly Buffer[]) {
    this.#offered = offered;
  }

  write(frame: Buffer): boolean {
    this.written.push(frame);
    return true;
  }

  onFrame(listener: ((bytes: Buffer) => void) | undefined): void {
    const [first, ...rest] = this.#offered;
    if (!listener || !first || this.ended) return;
    this.#offered = rest;
    listener(first);
  }

  onDrain(): void {
    // Never full.
  }

  onClosed(listener: (reason: string) => void): void {
    this.#closed = listener;
  }

  end(): void {
    this.ended = true;
  }

  cancel(): void {
    this.ended = true;
  }

  leave(): void {
    this.#closed?.('gone');
  }
}

/** @param has with a token no session may come of it; without one, only of an Open that was whole */
export async function fuzzDoor(
  noise: Noise,
  frames: number,
  has: 'token' | 'no token',
): Promise<void> {
  const { random } = noise;
  const clock = new ManualClock();
  const lines: string[] = [];
  const log = (_level: string, line: string): void => {
    lines.push(line);
  };
  const token = has === 'token' ? new Token('the token that the noise does not know') : undefined;
  const refusals = new Refusals(clock, log);
  const room = new HandshakeRoom();
  let sessions = 0;
  const options: AcceptOptions = {
    ...{ clock, token, room, refusals },
    session: (incoming) => {
      sessions += 1;
      assert.match(incoming.open.runId, /^[\w.-]+$/);
      incoming.refuse({ code: 'busy', message: 'busy', owner: undefined });
    },
  };
  const desk = new HelloDesk({ clock, token, refusals, hello: () => helloReply });
  const guess = new Token('a guess of the stranger, and a wrong one').handshakeSigner();
  const open = handshakeFrame(openOf(), 1n, 'toAgent');
  const guessed = handshakeFrame(openOf(), 1n, 'toAgent', guess);
  const context = { direction: 'toAgent', session: '' } as const;
  const offer = (): Buffer => {
    switch (random.whole(0, 4)) {
      case 0:
        return noise.bytes();
      case 1:
        return noise.mutated(open);
      case 2:
        return noise.mutated(guessed);
      case 3:
        return noise.frame({ sequence: 1n, reliable: 0n }, { ...context, signer: guess });
      default:
        return noise.frame({ sequence: 1n, reliable: 0n }, context);
    }
  };
  for (let done = 0; done < frames; done += 1) {
    const answer = decodeHelloReply(
      desk.answer(
        random.chance(0.5)
          ? noise.bytes()
          : noise.mutated(
              encodeHelloRequest({
                nonce: noise.bytes(16),
                challenge: noise.bytes(32),
                proof: noise.bytes(32),
              }),
            ),
        'stranger',
      ),
    );
    if (token) assert.ok('locked' in answer && answer.details.length === 0, 'it told a stranger');
    const stream = new OfferedStream(random.chance(0.05) ? [] : [offer(), offer()]);
    const accepted = acceptSession(stream, options);
    if (random.chance(0.5)) stream.leave();
    else clock.advance(10_000);
    await accepted;
    assert.ok(stream.ended, 'a stream was left open');
    assert.ok(stream.written.length <= 1);
  }
  if (token) assert.equal(sessions, 0, 'a session without the token');
  else assert.ok(sessions < frames);
  clock.advance(60_000);
  assert.equal(clock.armed, 0, 'timers are left');
  assert.ok(lines.length <= 11 * (clock.nowMs() / 10_000 + 1), 'the log was flooded');
}
