import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { drawScene, playScene } from '../support/chaos.js';
import { Fleet } from '../support/fleet.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const rounds = Number(process.env['MUSTER_CHAOS'] ?? '40');
const first = Number(process.env['MUSTER_CHAOS_SEED'] ?? '1');

test(`[RUN-19] [LINK-04] ${rounds} random runs of the real programs through random faults: nothing is lost but what was killed`, async (t) => {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const fleet = await Fleet.start(t, { argv: ['--spool', path.join(folder.path, 'spool')] });
  const failures: string[] = [];
  for (let seed = first; seed < first + rounds; seed += 1) {
    const scene = drawScene(seed, fleet.agents.length);
    await t.test(`seed ${seed}`, async (t) => {
      const proxies = await Promise.all(fleet.agents.map(({ port }) => TcpProxy.start({ port })));
      t.after(() => Promise.all(proxies.map((proxy) => proxy.close())));
      await playScene(fleet, proxies, scene).catch((error: unknown) => {
        failures.push(`seed ${seed}`);
        throw new Error(JSON.stringify(scene), { cause: error });
      });
    });
  }
  assert.deepEqual(failures, []);
});
