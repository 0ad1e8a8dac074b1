import assert from 'node:assert/strict';
import { connect } from 'node:net';
import test from 'node:test';
import type { TestContext } from 'node:test';
import type { Access, TlsMaterial } from '../../../src/shared/wire/access.js';
import { Token } from '../../../src/shared/wire/auth.js';
import { greetAgent } from '../../../src/shared/wire/dial-agent.js';
import { DialError } from '../../../src/shared/wire/dial-error.js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { makeAuthority } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { dialWire, startWireAgent } from '../../support/wire-pair.js';
import type { WireAgent } from '../../support/wire-pair.js';

const authority = makeAuthority('muster test authority');
const elsewhere = makeAuthority('another authority');
const [ca, otherCa] = [authority.cert, elsewhere.cert];
const ofAgent = authority.issue({ name: 'agent' });
const ofController = authority.issue({ name: 'controller' });

async function agentWith(t: TestContext, tls: TlsMaterial, more: Access = {}): Promise<WireAgent> {
  const agent = await startWireAgent(undefined, { ...more, tls });
  t.after(() => agent.server.close(0));
  return agent;
}

async function refusal(port: number, tls: TlsMaterial | undefined) {
  const patience = { connectMs: 4000, helloMs: 4000, clock: systemClock, access: { tls } };
  const dial = greetAgent(
    { address: { host: '127.0.0.1', port }, ...patience },
    new AbortController().signal,
  );
  const error: unknown = await dial.then(
    () => assert.fail('it should have been refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DialError, String(error));
  assert.equal(error.exitCode, 3);
  return error;
}

const said = (agent: WireAgent, pattern: RegExp): Promise<true> =>
  eventually(`${pattern} in ${agent.lines.join('\n')}`, 30_000, () =>
    Promise.resolve(agent.lines.some((line) => pattern.test(line)) ? true : undefined),
  );

test('[LINK-08] with certificates of one authority a session carries messages, by address and by name', async (t) => {
  const token = new Token('the token of these tests, long enough');
  const agent = await agentWith(t, { ca, ...ofAgent }, { token });
  const access = { tls: { ca, ...ofController }, token };
  const controller = await dialWire(agent.server.port, {}, undefined, access);
  t.after(() => {
    controller.dialled.hangUp();
  });
  const far = await agent.sessions.until(() => true);
  controller.duplex.send({ kind: 'prepare', assignment: 'x'.repeat(100_000) });
  await far.events.until((event) => event.kind === 'message');
  const patience = { connectMs: 30_000, helloMs: 30_000, clock: systemClock, access };
  const address = { host: 'localhost', port: agent.server.port };
  const hello = await greetAgent({ address, ...patience }, new AbortController().signal);
  assert.equal(hello.product, 'muster');
});

test('[LINK-08] a controller without a certificate is refused, and both sides say so', async (t) => {
  const agent = await agentWith(t, { ca, ...ofAgent });
  const { code, message } = await refusal(agent.server.port, { ca });
  assert.equal(code, 'tls');
  assert.match(message, /it wants a certificate from this controller \(--tls-cert and --tls-key\)/);
  await said(agent, /Refused a connection from 127\.0\.0\.1:\d+: it has no certificate/);
});

test('[LINK-08] a certificate of another authority, and an expired one, are refused with the reason', async (t) => {
  const agent = await agentWith(t, { ca, ...ofAgent });
  for (const [own, line] of [
    [
      elsewhere.issue({ name: 'controller' }),
      /127\.0\.0\.1:\d+: its certificate was issued by another authority/,
    ],
    [authority.issue({ name: 'late', days: -1 }), /127\.0\.0\.1:\d+: its certificate has expired/],
  ] as const) {
    const { hint } = await refusal(agent.server.port, { ca, ...own });
    assert.match(hint ?? '', /agent's log says whether it refuses this controller's certificate/);
    await said(agent, line);
  }
});

test('[LINK-08] an agent with an unknown, expired or foreign certificate is not talked to', async (t) => {
  const agent = await agentWith(t, { ca, ...ofAgent });
  const late = await agentWith(t, { ca, ...authority.issue({ name: 'late', days: -1 }) });
  const moved = await agentWith(t, { ca, ...authority.issue({ name: 'moved', host: 'node9' }) });
  const own = { ca, ...ofController };
  for (const [error, sentence] of [
    [
      await refusal(agent.server.port, { ...own, ca: otherCa }),
      /issued by an authority that this controller does not trust/,
    ],
    [await refusal(late.server.port, own), /its certificate has expired/],
    [
      await refusal(moved.server.port, own),
      /does not name the address that it was dialled by: IP: 127\.0\.0\.1 is not in the cert's list, which is empty$/,
    ],
  ] as const) {
    assert.equal(error.code, 'tls');
    assert.match(error.message, sentence);
  }
  await said(
    agent,
    /it left during the TLS handshake \(it may not trust this agent's certificate\)/,
  );
});

test('[LINK-08] TLS on one side only is named on both', async (t) => {
  const plain = await startWireAgent();
  t.after(() => plain.server.close(0));
  const { message } = await refusal(plain.server.port, { ca });
  assert.match(message, /it does not use TLS, and this controller does/);
  const agent = await agentWith(t, { ...ofAgent });
  const { hint } = await refusal(agent.server.port, undefined);
  assert.match(hint ?? '', /Does that agent use TLS\?/);
  await said(agent, /it does not speak TLS/);
});

test('[LINK-08] a TLS agent without --tls-ca takes controllers without certificates', async (t) => {
  const agent = await agentWith(t, { ...ofAgent });
  const controller = await dialWire(agent.server.port, {}, undefined, { tls: { ca } });
  controller.dialled.hangUp();
});

test('[RPC-04] one address cannot take all the connections of an agent', async (t) => {
  const agent = await startWireAgent();
  t.after(() => agent.server.close(0));
  const sockets = Array.from({ length: 140 }, () =>
    connect({ host: '127.0.0.1', port: agent.server.port }),
  );
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const closed = sockets.map(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.on('error', () => undefined);
        socket.once('close', () => {
          resolve();
        });
      }),
  );
  await Promise.any(closed);
  await said(
    agent,
    /Dropped a connection from 127\.0\.0\.1:\d+: 128 connections of that address are open/,
  );
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
  const controller = await dialWire(agent.server.port);
  controller.dialled.hangUp();
});
