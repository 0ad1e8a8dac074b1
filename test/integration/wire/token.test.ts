import assert from 'node:assert/strict';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerDuplexStream, ServerUnaryCall } from '@grpc/grpc-js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import type { Access } from '../../../src/shared/wire/access.js';
import { startAgentServer } from '../../../src/shared/wire/agent-server.js';
import { Token } from '../../../src/shared/wire/auth.js';
import { encodePayload } from '../../../src/shared/wire/codec.js';
import { greetAgent } from '../../../src/shared/wire/dial-agent.js';
import { DialError } from '../../../src/shared/wire/dial-error.js';
import { encodeFrame } from '../../../src/shared/wire/frame.js';
import type { FrameSigner } from '../../../src/shared/wire/frame.js';
import { handshakeFrame, readHandshakeFrame } from '../../../src/shared/wire/handshake-frames.js';
import {
  decodeHelloRequest,
  encodeHelloReply,
  encodeLockedReply,
} from '../../../src/shared/wire/hello-frames.js';
import { HelloDesk } from '../../../src/shared/wire/hello-desk.js';
import { Refusals } from '../../../src/shared/wire/refusals.js';
import { helloMethod, sessionMethod } from '../../../src/shared/wire/service.js';
import { eventually } from '../../support/eventually.js';
import { startRawServer } from '../../support/raw-server.js';
import { RawSession } from '../../support/raw-client.js';
import { dialWire, helloReply, openRequest, startWireAgent } from '../../support/wire-pair.js';
import type { ControllerEnd, WireAgent } from '../../support/wire-pair.js';

const access: Access = { token: new Token('the token of these tests, long enough') };
const other: Access = { token: new Token('another token, and also long enough') };

async function agentWith(t: TestContext, has: Access): Promise<WireAgent> {
  const agent = await startWireAgent(undefined, has);
  t.after(() => agent.server.close(0));
  return agent;
}

async function session(t: TestContext, agent: WireAgent): Promise<ControllerEnd> {
  const controller = await dialWire(agent.server.port, {}, undefined, access);
  t.after(() => {
    controller.dialled.hangUp();
  });
  return controller;
}

function greet(port: number, has: Access) {
  const patience = { connectMs: 30_000, helloMs: 30_000, clock: systemClock, access: has };
  const dial = { address: { host: '127.0.0.1', port }, ...patience };
  return greetAgent(dial, new AbortController().signal);
}

async function refusal(promise: Promise<unknown>): Promise<DialError> {
  const error: unknown = await promise.then(
    () => assert.fail('it should have been refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DialError, String(error));
  assert.equal(error.code, 'token');
  assert.equal(error.exitCode, 3);
  return error;
}

const said = (agent: WireAgent, pattern: RegExp): Promise<true> =>
  eventually(String(pattern), 30_000, () =>
    Promise.resolve(agent.lines.some((line) => pattern.test(line)) ? true : undefined),
  );

test('[LINK-07] with the same token on both sides a session carries messages both ways', async (t) => {
  const agent = await agentWith(t, access);
  assert.deepEqual(await greet(agent.server.port, access), helloReply);
  const controller = await session(t, agent);
  const far = await agent.sessions.until(() => true);
  controller.duplex.send({ kind: 'prepare', assignment: 'x'.repeat(100_000) });
  await far.events.until((event) => event.kind === 'message');
  far.duplex.send({ kind: 'ready', stage: 3 });
  await controller.events.until((event) => event.kind === 'message');
  assert.equal(far.endpoint.metrics().invalid, 0);
  assert.equal(controller.endpoint.metrics().invalid, 0);
});

test('[LINK-07] another token, none, and one too many are told on both sides', async (t) => {
  const guarded = await agentWith(t, access);
  const open = await agentWith(t, {});
  for (const [agent, has, sentence, line] of [
    [guarded, other, /it refuses the token of this controller/, /its token is another one/],
    [guarded, {}, /it wants a token, and this controller has none/, /it has no token/],
    [open, access, /it has no token, so it would obey anybody/, /this agent has none/],
  ] as const) {
    const { port } = agent.server;
    assert.match((await refusal(greet(port, has))).message, sentence);
    assert.match((await refusal(dialWire(port, {}, undefined, has))).message, sentence);
    assert.match(agent.lines.at(-1) ?? '', line);
    assert.equal(agent.sessions.all.length, 0);
  }
});

test('[LINK-07] an impostor on the port that does not know the token is found out', async (t) => {
  const { challenge, proof } = { challenge: new Uint8Array(32), proof: new Uint8Array(32) };
  const locked = { product: 'muster', protocol: 1, version: '1', tokenRequired: true };
  let asked = 0;
  const impostor = await startAgentServer({
    listen: { host: '127.0.0.1', port: 0 },
    clock: systemClock,
    log: () => undefined,
    hello: () => {
      asked += 1;
      return {
        ...helloReply,
        ...locked,
        ...(asked === 1 ? { challenge } : { details: proof, mac: proof }),
      };
    },
    session: () => undefined,
  });
  t.after(() => impostor.close(0));
  assert.match((await refusal(greet(impostor.port, access))).message, /does not know the token/);
});

test('[LINK-07] one that asks for the token, and then answers as if there were none, is found out', async (t) => {
  let asked = 0;
  const port = await startRawServer(t, {
    hello: (answer) => {
      asked += 1;
      const riddle = encodeLockedReply('1', { challenge: new Uint8Array(32) });
      answer(null, asked === 1 ? riddle : encodeHelloReply(helloReply));
    },
  });
  const { message } = await refusal(greet(port, access));
  assert.match(message, /it has no token, so it would obey anybody/);
  assert.equal(asked, 2);
});

test('[LINK-07] a Welcome with the right proof, and without the mac of the token, is not taken', async (t) => {
  const refusals = new Refusals(systemClock, () => undefined);
  t.after(() => {
    refusals.close();
  });
  const { token } = access;
  assert.ok(token);
  const desk = new HelloDesk({ clock: systemClock, token, refusals, hello: () => helloReply });
  const port = await startRawServer(t, {
    hello: (answer, { request }) => {
      answer(null, desk.answer(request, 'peer'));
    },
    session: (call) => {
      call.once('data', (bytes: Buffer) => {
        const expected = { kinds: ['open'], sequence: 1n, direction: 'toAgent', signer } as const;
        const { nonce: controller } = readHandshakeFrame(bytes, expected);
        const nonce = new Uint8Array(16).fill(7);
        const proof = token.proof('agent', { controller, agent: nonce });
        const place = { nonce, proof, bootId: '', version: '', instanceId: '', host: '' };
        const welcome = { kind: 'welcome', ...place, state: 'IDLE', resumed: false } as const;
        call.write(handshakeFrame({ ...welcome, received: 0n }, 1n, 'toController'));
      });
    },
  });
  const { message } = await refusal(dialWire(port, {}, undefined, access));
  assert.match(message, /its answer to Open was not made with the token/);
});

test('[LINK-07] every dial has nonces of its own: what was overheard of another one proves nothing', async (t) => {
  const nonces: string[] = [];
  const note = (nonce: Uint8Array): void => {
    assert.equal(nonce.length, 16);
    nonces.push(Buffer.from(nonce).toString('hex'));
  };
  const refusals = new Refusals(systemClock, () => undefined);
  t.after(() => {
    refusals.close();
  });
  const { token } = access;
  const desk = new HelloDesk({ clock: systemClock, token, refusals, hello: () => helloReply });
  const port = await startRawServer(t, {
    hello: (answer, { request }) => {
      const { nonce, proof } = decodeHelloRequest(request);
      // The second step has the nonce of the first.
      if (proof.length === 0) note(nonce);
      answer(null, desk.answer(request, 'peer'));
    },
    session: (call) => {
      call.once('data', (bytes: Buffer) => {
        const expected = { kinds: ['open'], sequence: 1n, direction: 'toAgent', signer } as const;
        note(readHandshakeFrame(bytes, expected).nonce);
        call.end();
      });
    },
  });
  for (const _ of [1, 2]) await assert.rejects(dialWire(port, {}, undefined, access), DialError);
  assert.equal(new Set(nonces).size, 4);
});

const place = { nonce: new Uint8Array(16).fill(1), protocol: 1 };
const open = { kind: 'open', ...place, ...openRequest, runId: 'run-of-a-stranger' } as const;
const signer = access.token?.handshakeSigner();

test('[LINK-07] an Open without the token is refused, counted and logged; a running session is unharmed', async (t) => {
  const agent = await agentWith(t, access);
  const controller = await session(t, agent);
  const far = await agent.sessions.until(() => true);
  for (const bad of [
    handshakeFrame(open, 1n, 'toAgent'),
    handshakeFrame(open, 1n, 'toAgent', other.token?.handshakeSigner()),
    handshakeFrame({ ...open, runId: 'run-1', generation: 2 }, 1n, 'toAgent'),
  ]) {
    const stranger = new RawSession(agent.server.port);
    stranger.write(bad);
    const answer = await stranger.refused();
    assert.equal(answer.code, 'token');
    await stranger.ended;
  }
  await said(agent, /its open was not made with the token/);
  controller.duplex.send({ kind: 'lease', count: 1 });
  await far.events.until((event) => event.kind === 'message');
  assert.equal(agent.sessions.all.length, 1);
});

test('[LINK-07] an Open and Confirm that were overheard open no session: the nonce is another one', async (t) => {
  const agent = await agentWith(t, access);
  const stale = {
    controller: place.nonce,
    agent: new Uint8Array(16),
  };
  const stranger = new RawSession(agent.server.port);
  stranger.write(handshakeFrame(open, 1n, 'toAgent', signer));
  await stranger.next();
  const proof = access.token?.proof('controller', stale) ?? new Uint8Array();
  stranger.write(handshakeFrame({ kind: 'confirm', proof }, 2n, 'toAgent', signer));
  await stranger.ended;
  await said(agent, /its proof is not for the nonce of this stream/);
  const unsigned = new RawSession(agent.server.port);
  unsigned.write(handshakeFrame(open, 1n, 'toAgent', signer));
  await unsigned.next();
  unsigned.write(handshakeFrame({ kind: 'confirm', proof }, 2n, 'toAgent'));
  await unsigned.ended;
  await said(agent, /its confirm was not made with the token/);
  assert.equal(agent.sessions.all.length, 0);
});

test('[LINK-07] replayed, altered and unsigned frames inside a session are counted and ignored', async (t) => {
  const agent = await agentWith(t, access);
  const man = new RawSession(agent.server.port);
  const { stream } = await man.handshake(open, access);
  const far = await agent.sessions.until(() => true);
  const context = { direction: 'toAgent', session: open.runId } as const;
  const lease = (count: number, sequence: bigint, signedBy: FrameSigner | undefined) => {
    const payload = encodePayload({ kind: 'lease', count });
    const none = { reliable: 0n, ack: 0n, seen: 0n, heard: 0n };
    return encodeFrame(
      { sequence, ...none, encoding: 'PLAIN', payload },
      { ...context, signer: signedBy },
    );
  };
  const first = lease(1, 3n, stream);
  const altered = Buffer.from(lease(66, 4n, stream));
  altered[altered.length - 1] = 67;
  for (const frame of [first, first, altered, lease(66, 4n, undefined), lease(66, 4n, signer)]) {
    man.write(frame);
  }
  man.write(lease(2, 4n, stream));
  await far.events.until(
    (event) =>
      event.kind === 'message' && event.message.kind === 'lease' && event.message.count === 2,
  );
  const events = far.events.all.map((event) =>
    event.kind === 'invalid' ? event.reason.split(':')[0] : event.kind,
  );
  assert.deepEqual(events, [
    'message',
    'replayed',
    'checksum mismatch',
    'message authentication failed',
    'message authentication failed',
    'message',
  ]);
  assert.equal(far.endpoint.metrics().invalid, 4);
  man.close();
});

test('[LINK-07] a Welcome that was overheard on another stream is not taken for one', async (t) => {
  const agent = await agentWith(t, access);
  const earlier = new RawSession(agent.server.port);
  earlier.write(handshakeFrame(open, 1n, 'toAgent', signer));
  const overheard = await earlier.next();
  earlier.close();

  // In between: Hello is passed on to somebody who knows the token, Open gets the old answer.
  const refusals = new Refusals(systemClock, () => undefined);
  const { token } = access;
  const desk = new HelloDesk({ clock: systemClock, token, refusals, hello: () => helloReply });
  const between = new Server();
  between.addService(
    { Hello: helloMethod, Session: sessionMethod },
    {
      Hello: (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
        reply(null, desk.answer(call.request, call.getPeer()));
      },
      Session: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', () => call.write(overheard));
        call.on('error', () => undefined);
      },
    },
  );
  t.after(() => {
    between.forceShutdown();
    refusals.close();
  });
  const port = await new Promise<number>((resolve, reject) => {
    between.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  const { message } = await refusal(dialWire(port, {}, undefined, access));
  assert.match(message, /its proof is not for the nonce of this stream \(a replay\?\)/);
});
