import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { status } from '@grpc/grpc-js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import type { HelloReply } from '../../../src/shared/model/messages.js';
import { startAgentServer } from '../../../src/shared/wire/agent-server.js';
import { dialAgent, greetAgent } from '../../../src/shared/wire/dial-agent.js';
import { DialError } from '../../../src/shared/wire/dial-error.js';
import { handshakeFrame } from '../../../src/shared/wire/handshake-frames.js';
import { startRawServer } from '../../support/raw-server.js';
import type { RawCall } from '../../support/raw-server.js';
import { dialWire, helloReply, openRequest, startWireAgent } from '../../support/wire-pair.js';

interface Dial {
  readonly host?: string;
  readonly port: number;
  readonly connectMs?: number;
  readonly helloMs?: number;
  readonly signal?: AbortSignal;
}

function greet({ host = '127.0.0.1', port, connectMs = 600, helloMs = 600, signal }: Dial) {
  return greetAgent(
    { address: { host, port }, connectMs, helloMs, clock: systemClock },
    signal ?? new AbortController().signal,
  );
}

async function failure(dial: Dial): Promise<DialError> {
  const error: unknown = await greet(dial).then(
    () => assert.fail('nobody should have answered'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DialError, String(error));
  assert.equal(error.exitCode, 3);
  return error;
}

async function listening(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  t.after(() => {
    // grpc-js keeps a connection on which the other side never said a word until that side ends it.
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('an agent answers who it is', async (t) => {
  const agent = await startWireAgent();
  t.after(() => agent.server.close(0));
  assert.deepEqual(
    await greet({ port: agent.server.port, connectMs: 30_000, helloMs: 30_000 }),
    helloReply,
  );
});

test('[RUN-01] nobody listening: unreachable after the whole connect time, connection refused', async () => {
  const port = await freePort();
  const before = systemClock.nowMs();
  const error = await failure({ port });
  assert.ok(systemClock.nowMs() - before >= 600, 'it was tried as long as there was time');
  assert.equal(error.code, 'refused');
  assert.equal(error.message, `Agent 127.0.0.1:${port} unreachable after 0.6s: connection refused`);
  assert.match(error.hint ?? '', /bench-agent/);
});

test('[RUN-01] a name that does not resolve is named as the cause', async () => {
  const error = await failure({ host: 'no-such-host.invalid', port: 7761 });
  assert.equal(error.code, 'dns');
  assert.match(
    error.message,
    /unreachable after 0.6s: the name no-such-host.invalid does not resolve/,
  );
});

test('[RUN-01] an agent that is only starting is found within the connect time', async (t) => {
  const port = await freePort();
  const pending = greet({ port, connectMs: 30_000, helloMs: 30_000 });
  const clock = systemClock;
  const server = await startAgentServer({
    ...{ listen: { host: '127.0.0.1', port }, clock, log: () => undefined },
    hello: () => helloReply,
    session: () => undefined,
  });
  t.after(() => server.close(0));
  assert.equal((await pending).product, 'muster');
});

test('[RUN-01] a host that takes the connection and says nothing, as a frozen agent does, is unreachable', async (t) => {
  const port = await listening(t, createServer());
  const error = await failure({ port });
  assert.equal(error.code, 'silent');
  assert.match(error.message, /unreachable after 0.6s: no answer/);
});

test('[RUN-01] a connection that is closed at once is a network failure with that cause', async (t) => {
  const port = await listening(
    t,
    createServer((socket) => socket.destroy()),
  );
  const error = await failure({ port });
  assert.equal(error.code, 'network');
  assert.match(error.message, /the connection was closed before it was ready/);
});

test('[RUN-26] a stranger on the port is named as one, at once', async (t) => {
  const greeter = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('SSH-2.0-OpenSSH_9.6\r\n');
  });
  const http = createHttpServer((_, response) => response.end('hello'));
  const http2 = createHttp2Server((_, response) => {
    response.statusCode = 404;
    response.end();
  });
  for (const [server, reason] of [
    [greeter, /something that does not speak gRPC answers there/],
    [http, /something that does not speak gRPC answers there/],
    [http2, /something else answers there .*404/],
  ] as const) {
    const port = await listening(t, server);
    const before = systemClock.nowMs();
    const error = await failure({ port, connectMs: 60_000, helloMs: 60_000 });
    assert.ok(systemClock.nowMs() - before < 30_000, 'waiting would not change it');
    assert.equal(error.code, 'stranger');
    assert.match(error.message, new RegExp(`^127.0.0.1:${port} is not a Muster agent: `));
    assert.match(error.message, reason);
    assert.match(error.hint ?? '', /ss -ltnp/);
  }
});

async function agentSaying(t: TestContext, hello: Partial<HelloReply>): Promise<number> {
  const server = await startAgentServer({
    listen: { host: '127.0.0.1', port: 0 },
    clock: systemClock,
    log: () => undefined,
    hello: () => ({ ...helloReply, ...hello }),
    session: () => undefined,
  });
  t.after(() => server.close(0));
  return server.port;
}

test('[RUN-26] another product that speaks the same calls is a stranger', async (t) => {
  const port = await agentSaying(t, { product: 'mustard' });
  const error = await failure({ port, connectMs: 30_000, helloMs: 30_000 });
  assert.equal(error.code, 'stranger');
  assert.match(error.message, /it says it is "mustard", not "muster"/);
});

test('an agent of another protocol version is refused with both versions', async (t) => {
  for (const [protocol, version] of [
    [9, '4.2.0'],
    [0, '0.0.1'],
  ] as const) {
    const port = await agentSaying(t, { protocol, version });
    const error = await failure({ port, connectMs: 30_000, helloMs: 30_000 });
    assert.equal(error.code, 'protocol');
    const says = `version ${version} speaks protocol ${protocol}, this controller speaks 1`;
    assert.ok(error.message.includes(says), error.message);
  }
});

test('[RUN-09] dialling ends at once when it is cancelled, before and while it waits', async (t) => {
  const port = await listening(t, createServer());
  const before = new AbortController();
  before.abort();
  assert.equal((await failure({ port, signal: before.signal })).code, 'cancelled');
  const during = new AbortController();
  const pending = failure({ port, connectMs: 600_000, signal: during.signal });
  during.abort();
  assert.equal((await pending).code, 'cancelled');
});

test('a busy agent refuses the session with its own words; that it could be stolen is said where it helps', async (t) => {
  const message = 'busy: run 7f3 of root@ctl1 since 14:02, RUNNING';
  const agent = await startWireAgent((incoming) => {
    const code = incoming.open.runId === 'left' ? 'secret' : 'busy';
    incoming.refuse({ code, message, owner: undefined });
    return 'handled';
  });
  t.after(() => agent.server.close(0));
  for (const [request, code, hint] of [
    [{}, 'busy', /--steal/],
    [{ steal: true }, 'busy', /^$/],
    [{ runId: 'left' }, 'secret', /^$/],
  ] as const) {
    await assert.rejects(dialWire(agent.server.port, request), (error) => {
      assert.ok(error instanceof DialError);
      assert.equal(error.code, code);
      assert.match(error.message, /refused the session: busy: run 7f3 of root@ctl1/);
      assert.match(error.hint ?? '', hint);
      return true;
    });
  }
});

test('[RPC-10] an agent that was greeted, that refused, or that was hung up on, has no connection open any more', async (t) => {
  const agent = await startWireAgent((incoming) => {
    if (incoming.open.runId === 'run-1') return 'accept';
    incoming.refuse({ code: 'busy', message: 'busy', owner: undefined });
    return 'handled';
  });
  t.after(() => agent.server.close(0));
  const closed: Promise<unknown>[] = [];
  const port = await listening(
    t,
    createServer((near) => {
      closed.push(once(near, 'close', { signal: AbortSignal.timeout(30_000) }));
      const far = connect(agent.server.port, '127.0.0.1');
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => undefined);
    }),
  );
  await greet({ port, connectMs: 30_000, helloMs: 30_000 });
  await assert.rejects(dialWire(port, { runId: 'another' }), DialError);
  const { dialled } = await dialWire(port);
  dialled.stream.cancel();
  dialled.hangUp();
  assert.equal(closed.length, 3);
  await Promise.all(closed);
});

test('[RUN-01] a session is dialled for as long as a connection may take, not as an answer may', async () => {
  const address = { host: '127.0.0.1', port: await freePort() };
  const options = { address, connectMs: 300, helloMs: 60_000, clock: systemClock };
  const dial = dialAgent(options, openRequest, new AbortController().signal);
  await assert.rejects(dial, (error) => {
    assert.ok(error instanceof DialError);
    assert.match(error.message, /unreachable after 0\.3s: connection refused/);
    assert.equal(error.connected, false);
    return true;
  });
});

/** What becomes of a dial to a server that answers Hello as an agent, and Open as it likes. */
async function openFailure(
  t: TestContext,
  session: (call: RawCall) => void,
  { helloMs = 30_000, signal = new AbortController().signal } = {},
): Promise<DialError> {
  const address = { host: '127.0.0.1', port: await startRawServer(t, { session }) };
  const options = { address, connectMs: 30_000, helloMs, clock: systemClock };
  const error: unknown = await dialAgent(options, openRequest, signal).then(
    () => assert.fail('the session should not have opened'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DialError, String(error));
  assert.equal(error.instanceId, helloReply.instanceId, 'who it was that did not open it');
  return error;
}

test('an agent that answers Hello and then says nothing to Open is given up after the Hello time', async (t) => {
  const error = await openFailure(t, () => undefined, { helloMs: 300 });
  assert.equal(error.code, 'silent');
  assert.match(error.message, /did not answer Open within 0\.3s/);
});

test('an agent that ends the new session without a word is a network failure with its reason', async (t) => {
  const error = await openFailure(t, (call) => {
    call.end();
  });
  assert.equal(error.code, 'network');
  assert.match(error.message, /closed the new session: the agent ended the stream/);
});

test('[RUN-09] a dial that waits for the answer to Open is cancelled at once, and its stream with it', async (t) => {
  const abort = new AbortController();
  const cancelled: Promise<unknown>[] = [];
  const error = await openFailure(
    t,
    (call) => {
      cancelled.push(once(call, 'cancelled', { signal: AbortSignal.timeout(30_000) }));
      abort.abort();
    },
    { signal: abort.signal },
  );
  assert.equal(error.code, 'cancelled');
  assert.equal(cancelled.length, 1);
  await cancelled[0];
});

test('[RUN-08] an answer to Open that is no Welcome is refused, saying what is wrong with it', async (t) => {
  const ready = { kind: 'ready', stage: 0 } as const;
  const place = { nonce: new Uint8Array(), proof: new Uint8Array(), bootId: '', version: '' };
  const rest = { state: 'IDLE', resumed: false, received: 0n, host: '', instanceId: '' } as const;
  const answers: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.from('junk'), /unreadable: not a Frame message/],
    [
      handshakeFrame(ready, 1n, 'toController'),
      /unreadable: a ready message where welcome or refused was expected/,
    ],
    [
      handshakeFrame({ kind: 'welcome', ...place, ...rest }, 7n, 'toController'),
      /unreadable: sequence 7 where 1 was expected/,
    ],
  ];
  for (const [answer, why] of answers) {
    const error = await openFailure(t, (call) => call.write(answer));
    assert.equal(error.code, 'protocol');
    assert.match(error.message, why);
  }
});

test('an agent that fails at Hello, or does not answer it, is told apart from one that cannot be reached', async (t) => {
  const failing = await startRawServer(t, {
    hello: (answer) => {
      answer({ code: status.INTERNAL, details: 'no time' });
    },
  });
  const broken = await failure({ port: failing, connectMs: 30_000, helloMs: 30_000 });
  assert.equal(broken.code, 'network');
  assert.match(broken.message, /takes the connection, and fails when asked who it is: no time/);
  const mute = await startRawServer(t, { hello: () => undefined });
  const silent = await failure({ port: mute, connectMs: 30_000, helloMs: 300 });
  assert.equal(silent.code, 'silent');
  assert.match(silent.message, /takes the connection, but gave no answer to Hello within 0\.3s/);
});

test('[RUN-09] a Hello that is not waited for any longer is cancelled, and nothing of it stays open', async (t) => {
  const abort = new AbortController();
  for (const [code, helloMs, signal] of [
    ['silent', 300, undefined],
    ['cancelled', 600_000, abort.signal],
  ] as const) {
    const cancelled: Promise<unknown>[] = [];
    const port = await startRawServer(t, {
      hello: (_, call) => {
        cancelled.push(once(call, 'cancelled', { signal: AbortSignal.timeout(30_000) }));
        if (code === 'cancelled') abort.abort();
      },
    });
    const error = await failure({ port, connectMs: 30_000, helloMs, ...(signal && { signal }) });
    assert.equal(error.code, code);
    assert.equal(cancelled.length, 1);
    await cancelled[0];
  }
});

test('an http_proxy variable does not lead a dial astray', async (t) => {
  const agent = await startWireAgent();
  t.after(() => agent.server.close(0));
  const before = process.env['http_proxy'];
  process.env['http_proxy'] = 'http://127.0.0.1:1';
  t.after(() => {
    if (before === undefined) delete process.env['http_proxy'];
    else process.env['http_proxy'] = before;
  });
  const hello = await greet({ port: agent.server.port, connectMs: 30_000, helloMs: 30_000 });
  assert.equal(hello.product, 'muster');
});
