import assert from 'node:assert/strict';
import test from 'node:test';
import { dialWire, startWireAgent } from '../../support/wire-pair.js';

test('a session is opened, carries messages both ways and ends with a goodbye', async (t) => {
  const agent = await startWireAgent();
  t.after(() => agent.server.close(0));
  const controller = await dialWire(agent.server.port);
  t.after(() => controller.dialled.hangUp());
  const far = await agent.sessions.until(() => true);

  controller.duplex.send({ kind: 'prepare', assignment: 'x'.repeat(100_000) });
  const got = await far.events.until((event) => event.kind === 'message');
  assert.deepEqual(got, {
    kind: 'message',
    message: { kind: 'prepare', assignment: 'x'.repeat(100_000) },
  });

  far.duplex.send({ kind: 'ready', stage: 3 });
  await controller.events.until((event) => event.kind === 'message');

  controller.duplex.send({ kind: 'goodbye', reason: 'done' });
  controller.duplex.close('done');
  const { end } = await far.events.until((event) => event.kind === 'end');
  assert.equal(end.graceful, true);
  const near = await controller.events.until((event) => event.kind === 'end');
  assert.equal(near.end.graceful, false, 'only the other side said goodbye');
  assert.equal(far.endpoint.unacked().reliable, 0);
});
