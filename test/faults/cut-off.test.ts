import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { Fleet, holdWork, patientTimeouts } from '../support/fleet.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('[RUN-10] [LINK-06] all agents are cut off for good while results are collected: exit 5, the next run has them at once, and recover makes it whole, exit 0', async (t) => {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const fleet = await Fleet.start(t, { argv: ['--spool', path.join(folder.path, 'spool')] });
  const proxies = await Promise.all(fleet.agents.map(({ port }) => TcpProxy.start({ port })));
  t.after(() => Promise.all(proxies.map((proxy) => proxy.close())));
  const through = Object.fromEntries(proxies.map(({ address }, index) => [index, address]));
  // Longer than the window, and than this test may take: what frees the agents is that they are asked for.
  const timeouts = { ...patientTimeouts, lease: '600s' };
  const run = fleet.run({ through, seconds: 2, timeouts });
  await run.loaded();
  const late = await Promise.all(fleet.agents.map((agent) => holdWork(agent, run)));
  await run.phase('collecting');
  for (const proxy of proxies) {
    proxy.refuse(true);
    proxy.reset();
  }
  for (const { release } of late) release();
  await run.exits(5);
  const next = fleet.run({ seconds: 1 });
  await next.exits(0);
  next.checkSums();
  for (const proxy of proxies) proxy.heal();
  const recover = fleet.controller(['recover', run.folder]);
  assert.deepEqual(await recover.ended, { code: 0, signal: null }, recover.output);
  for (const { id } of fleet.agents) {
    assert.match(recover.output, new RegExp(`Agent ${id}: checkpoint fetched`));
    assert.equal(run.agent(id).state, 'COMPLETED');
    assert.equal(run.agent(id).missing_seconds, 0);
  }
  const { outcome, coverage, exit_code } = run.summary();
  assert.deepEqual([outcome, coverage.agents_completed, exit_code], ['completed', 3, 0]);
  run.checkSums();
});
