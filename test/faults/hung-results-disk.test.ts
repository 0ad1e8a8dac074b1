import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { Fleet } from '../support/fleet.js';
import { FleetRun } from '../support/fleet-run.js';
import { freezingDisk } from '../support/freezing-disk.js';
import { TcpProxy } from '../support/tcp-proxy.js';

test('[RUN-18] a results disk that hangs during the run is said to; leases and links go on, and all is written once it answers: exit 0', async (t) => {
  const disk = await freezingDisk(t);
  const fleet = await Fleet.start(t);
  const proxy = await TcpProxy.start({ port: fleet.agent(1).port });
  t.after(() => proxy.close());
  const results = path.join(disk.path, 'results');
  // A name has to be resolved again when the link is lost.
  const through = { 1: `localhost:${String(proxy.port)}` };
  const argv = ['--results', results];
  const { program, config } = fleet.run({ seconds: 40, through, argv, env: disk.env });
  const run = new FleetRun(program, config, results);
  await run.loaded();
  await disk.freeze();
  await run.waitFor(/WARNING: The results disk has not taken a write for 2s/);
  const hung = await run.until('progress', () => true);
  for (const stream of [2, 3]) {
    proxy.reset();
    await run.waitFor(new RegExp(`Agent agent-2 reconnected \\(stream ${String(stream)}\\)`));
  }
  // Longer than the lease of 8 s.
  await run.until(
    'ten seconds more of load',
    ({ stage_elapsed_ms }) => Number(stage_elapsed_ms) > Number(hung.stage_elapsed_ms) + 10_000,
  );
  await disk.thaw();
  await run.exits(0);
  assert.doesNotMatch(run.said, /hung|crashed|ERROR|gave the run up/);
  for (const { id } of fleet.agents) run.checkTimeLine(id);
  run.checkSums();
  assert.equal(run.manifest().outcome, 'completed');
});
