import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { withEmbeddedAgents } from '../../../src/controller/shell/embedded-agents.js';
import { planOf } from '../../support/example-plan.js';

test('[CLI-01] more than ten embedded agents are no reason for a warning of Node', async (t) => {
  const config = 'target: "null:"\nstages: [{ name: s, mix: read, duration: 1s }]';
  const { plan } = planOf(config, { embedded: 11 });
  const warnings: string[] = [];
  const onWarning = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const { signal } = new AbortController();
  const fleet = { plan, access: {}, embeddedFlags: [] };
  const addresses = await withEmbeddedAgents(fleet, systemClock, signal, (reachable) =>
    Promise.resolve(reachable.plan.agents.map(({ address }) => address)),
  );
  assert.equal(new Set(addresses).size, 11);
  assert.deepEqual(warnings, []);
});
