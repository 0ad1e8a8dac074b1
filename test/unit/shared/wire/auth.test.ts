import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { Token } from '../../../../src/shared/wire/auth.js';
import { decodeFrame, encodeFrame } from '../../../../src/shared/wire/frame.js';
import type { Direction, Frame, FrameContext } from '../../../../src/shared/wire/frame.js';
import { agentEndpoint, controllerEndpoint } from '../../../../src/shared/wire/link-endpoint.js';
import { concatenate } from '../../../support/lossy-pipe.js';

const secret = 'a token that nobody will guess: 0123456789';
const token = new Token(secret);
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const noncesOf = fc.record({ controller: bytes(16), agent: bytes(16) });
const nonces = { controller: new Uint8Array(16), agent: new Uint8Array(16).fill(1) };

const frames = fc.record({
  sequence: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
  reliable: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  ack: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  seen: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  heard: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  encoding: fc.constantFrom<Frame['encoding']>('PLAIN', 'DEFLATE'),
  payload: fc.uint8Array({ maxLength: 64 }),
});

const context = (change: Partial<FrameContext> = {}): FrameContext => ({
  direction: 'toAgent',
  session: 'run-1',
  signer: token.streamSigner(nonces),
  ...change,
});

test('[LINK-07] a frame made with the token is read with it, and with nothing else', () => {
  fc.assert(
    fc.property(frames, noncesOf, (frame, otherNonces) => {
      const wire = encodeFrame(frame, context());
      assert.deepEqual(
        Buffer.from(decodeFrame(wire, context()).payload),
        Buffer.from(frame.payload),
      );
      for (const signer of [
        new Token(`${secret}!`).streamSigner(nonces),
        token.streamSigner({ ...nonces, agent: otherNonces.agent }),
        token.streamSigner({ ...nonces, controller: otherNonces.controller.with(0, 7) }),
        token.streamSigner({ controller: nonces.agent, agent: nonces.controller }),
        token.handshakeSigner(),
      ]) {
        assert.throws(() => decodeFrame(wire, context({ signer })), /authentication failed/);
      }
    }),
  );
});

test('[LINK-07] whoever changes a field and mends the checksum has no mac for it', () => {
  const forged = (frame: Frame, change: Partial<Frame>, to: Partial<FrameContext> = {}) => {
    const { signer } = context();
    const genuine: Uint8Array[] = [];
    encodeFrame(frame, context({ signer: { ...signer, ...recording(genuine) } }));
    const stolen = { sign: () => genuine[0] ?? new Uint8Array(), verify: () => true };
    return encodeFrame({ ...frame, ...change }, context({ signer: stolen, ...to }));
  };
  const recording = (into: Uint8Array[]) => ({
    verify: () => true,
    sign: (covered: readonly Uint8Array[]) => {
      const mac = token.streamSigner(nonces).sign(covered);
      into.push(mac);
      return mac;
    },
  });
  fc.assert(
    fc.property(frames, fc.integer({ min: 0, max: 6 }), (frame, field) => {
      const next = (value: bigint): bigint => (value === 2n ** 64n - 1n ? value - 1n : value + 1n);
      const changes: readonly Partial<Frame>[] = [
        { sequence: next(frame.sequence) },
        { reliable: next(frame.reliable) },
        { ack: next(frame.ack) },
        { seen: next(frame.seen) },
        { heard: next(frame.heard) },
        { encoding: frame.encoding === 'PLAIN' ? 'DEFLATE' : 'PLAIN' },
        { payload: Buffer.concat([frame.payload, Buffer.of(0)]) },
      ];
      const wire = forged(frame, changes[field] ?? {});
      assert.throws(() => decodeFrame(wire, context()), /authentication failed/);
    }),
  );
  const frame = { sequence: 1n, reliable: 0n, ack: 0n, seen: 0n, heard: 0n } as const;
  const plain = { ...frame, encoding: 'PLAIN', payload: Buffer.of(1) } as const;
  for (const place of [{ direction: 'toController' as Direction }, { session: 'run-2' }]) {
    const wire = forged(plain, {}, place);
    assert.throws(() => decodeFrame(wire, context(place)), /authentication failed/);
  }
});

test('[LINK-07] a frame without a mac, or with a shortened one, is refused', () => {
  const frame: Frame = {
    ...{ sequence: 1n, reliable: 0n, ack: 0n, seen: 0n, heard: 0n },
    ...{ encoding: 'PLAIN', payload: Buffer.of(1) },
  };
  const without = encodeFrame(frame, context({ signer: undefined }));
  assert.throws(() => decodeFrame(without, context()), /authentication failed/);
  const { sign } = token.streamSigner(nonces);
  const half = { sign: (covered: readonly Uint8Array[]) => sign(covered).subarray(0, 16) };
  const short = encodeFrame(frame, context({ signer: { ...half, verify: () => true } }));
  assert.throws(() => decodeFrame(short, context()), /authentication failed/);
});

test('[LINK-07] a proof is for one side and one pair of nonces', () => {
  fc.assert(
    fc.property(noncesOf, noncesOf, (one, other) => {
      const proof = token.proof('agent', one).toString('hex');
      assert.equal(token.proof('agent', one).toString('hex'), proof);
      assert.notEqual(token.proof('controller', one).toString('hex'), proof);
      assert.notEqual(new Token(`${secret}!`).proof('agent', one).toString('hex'), proof);
      const same = Buffer.concat([one.controller, one.agent]).equals(
        Buffer.concat([other.controller, other.agent]),
      );
      assert.equal(token.proof('agent', other).toString('hex') === proof, same);
    }),
  );
});

test('[LINK-07] under a token a replayed frame is refused, counted and told; the session goes on', () => {
  const signer = token.streamSigner(nonces);
  const options = { session: 'run-1', mergeHistograms: concatenate };
  const [controller, agent] = [controllerEndpoint(options), agentEndpoint(options)];
  controller.attach(1, 0, 0n, { signer });
  agent.attach(1, 0, 0n, { signer });
  controller.send({ kind: 'lease', count: 1 });
  const lease = controller.poll(0);
  assert.ok(lease);
  assert.deepEqual(
    agent.receive(lease, 0).map(({ kind }) => kind),
    ['message'],
  );
  const [replay] = agent.receive(lease, 0);
  assert.ok(replay?.kind === 'invalid');
  assert.match(replay.reason, /replayed/);
  assert.equal(agent.metrics().invalid, 1);
  controller.send({ kind: 'lease', count: 2 });
  const next = controller.poll(0);
  assert.ok(next);
  assert.deepEqual(agent.receive(next, 0), [
    { kind: 'message', message: { kind: 'lease', count: 2 } },
  ]);
  assert.equal(agent.poll(0), undefined, 'nothing is asked for again');
});

test('the secret cannot be printed', () => {
  for (const text of [
    inspect(token, { depth: 9, showHidden: true }),
    JSON.stringify(token),
    JSON.stringify({ holds: token }),
  ]) {
    assert.doesNotMatch(text, /guess/);
  }
});
