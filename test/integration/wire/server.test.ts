import assert from 'node:assert/strict';
import { connect } from 'node:net';
import test from 'node:test';
import { MusterError } from '../../../src/shared/kernel/errors.js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { startAgentServer } from '../../../src/shared/wire/agent-server.js';
import { dialWire, helloReply, startWireAgent } from '../../support/wire-pair.js';

function listen(host: string | undefined, port: number) {
  return startAgentServer({
    listen: { host, port },
    clock: systemClock,
    log: () => undefined,
    hello: () => helloReply,
    session: () => undefined,
  });
}

const reachable = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });

test('[RUN-26] a second agent on the same port is refused, naming the port and the likely cause', async (t) => {
  const first = await listen('127.0.0.1', 0);
  t.after(() => first.close(0));
  for (const host of ['127.0.0.1', undefined]) {
    await assert.rejects(listen(host, first.port), (error) => {
      assert.ok(error instanceof MusterError);
      assert.equal(error.exitCode, 2);
      assert.match(
        error.message,
        new RegExp(`port ${first.port} is in use, probably by another bench-agent`),
      );
      assert.match(error.hint ?? '', /--listen/);
      return true;
    });
  }
});

test('an address that this host does not have is refused with a sentence', async () => {
  await assert.rejects(listen('192.0.2.1', 0), /this host has no such address/);
});

test('[LINK-13] a name that is none is refused with a sentence', async () => {
  await assert.rejects(listen('no-such-host.invalid', 0), (error) => {
    assert.ok(error instanceof MusterError);
    assert.equal(error.exitCode, 2);
    assert.match(
      error.message,
      /^Cannot listen on no-such-host\.invalid:0: the name of the host is not/,
    );
    return true;
  });
});

test('[LINK-13] :port listens on all interfaces', async (t) => {
  const server = await listen(undefined, 0);
  t.after(() => server.close(0));
  assert.ok(await reachable('127.0.0.1', server.port));
  assert.match(server.address, /^(\[::\]|0\.0\.0\.0):\d+$/);
});

test('closing the server ends streams that are open, and the other side learns of it', async () => {
  const agent = await startWireAgent();
  const controller = await dialWire(agent.server.port);
  await agent.sessions.until(() => true);
  await agent.server.close(0);
  const { end } = await controller.events.until((event) => event.kind === 'end');
  assert.equal(end.graceful, false);
  controller.dialled.hangUp();
});

test('closing the server lets a stream that ends by itself end', async () => {
  const agent = await startWireAgent();
  const controller = await dialWire(agent.server.port);
  const far = await agent.sessions.until(() => true);
  const closing = agent.server.close(60_000);
  far.duplex.send({ kind: 'goodbye', reason: 'stopping' });
  far.duplex.close('stopping');
  const { end } = await controller.events.until((event) => event.kind === 'end');
  assert.equal(end.graceful, true);
  controller.dialled.hangUp();
  await closing;
});
