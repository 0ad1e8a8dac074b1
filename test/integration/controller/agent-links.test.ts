import assert from 'node:assert/strict';
import test from 'node:test';
import type { RunInput } from '../../../src/controller/core/run-io.js';
import { GrpcLinks } from '../../../src/controller/shell/agent-links.js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { EventLog } from '../../support/event-log.js';
import { planOf, smallConfig } from '../../support/example-plan.js';
import { startWireAgent } from '../../support/wire-pair.js';

test('[LINK-02] the late end of an old stream does not hang up the one that replaced it', async (t) => {
  const agent = await startWireAgent();
  t.after(() => agent.server.close(0));
  const { plan } = planOf(smallConfig, { agentsOverride: [`127.0.0.1:${agent.server.port}`] });
  const inputs = new EventLog<RunInput>();
  const links = new GrpcLinks({
    ...{ plan, runId: 'run-1', identity: 'test@here', secret: 'secret', steal: false, access: {} },
    clock: systemClock,
    feed: (input) => inputs.add(input),
    notice: () => undefined,
    onBug: (bug) => assert.fail(String(bug)),
  });
  t.after(() => links.close());
  links.dial(0, 1, []);
  const first = await agent.sessions.until(() => true);
  await inputs.until((input) => input.kind === 'dialed' && input.generation === 1);
  links.dial(0, 2, []);
  const second = await agent.sessions.until((session) => session !== first);
  await inputs.until((input) => input.kind === 'dialed' && input.generation === 2);

  first.duplex.cancel('at last');
  await inputs.until((input) => input.kind === 'linkLost' && input.generation === 1);
  links.send(0, { kind: 'ping', id: 1 });
  await second.events.until((event) => event.kind === 'message');
  second.duplex.send({ kind: 'ready', stage: 0 });
  await inputs.until((input) => input.kind === 'message' && input.generation === 2);
});
