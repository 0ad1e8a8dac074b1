/** Who does a run, where each agent works, and where the results go: as the config says it, through the binaries. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAgentProcess } from '../support/agent-process.js';
import { controller, Desk } from '../support/cli-run.js';
import { filesBelow } from '../support/temporary-folder.js';

test('[CONF-03] each entry of agents is dialled, and has the id, target, threads and labels that it says', async (t) => {
  const desk = new Desk(t);
  const [first, second] = await Promise.all([startAgentProcess(), startAgentProcess()]);
  for (const { program } of [first, second]) t.after(() => program.stop());
  const own = desk.folder('own');
  const labels = { rack: 'b' };
  const agents = [
    { address: first.address, id: 'big', target: own, threads: 3, labels },
    { address: second.address },
  ];
  const stages = [{ name: 'p', mix: 'put', threads: 2, max_operations: 60 }];
  const ran = await desk.run(desk.config({ agents, stages }), '--no-cleanup');
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  const { manifest, summary } = desk.newest();
  const told = (manifest['agents'] as Record<string, unknown>[]).map((agent) => [
    agent['id'],
    agent['address'],
    agent['labels'],
  ]);
  assert.deepEqual(told, [
    ['big', first.address, labels],
    ['agent-2', second.address, {}],
  ]);
  assert.deepEqual(Object.keys(summary.stages[0]?.agents ?? {}), ['big', 'agent-2']);
  /** Every thread puts its files into a folder of its own. */
  const threads = (target: string, agent: string) =>
    readdirSync(join(target, 'ds', agent, 'churn', agent)).length;
  assert.deepEqual([threads(own, '0'), threads(desk.target, '1')], [3, 2]);
  assert.ok(filesBelow(own).every((file) => file.startsWith('ds/0/')));
});

test('[CONF-03] results.folder and name say where the results of a run are', async (t) => {
  const desk = new Desk(t);
  const folder = join(desk.path, 'elsewhere');
  const stages = [{ name: 'n', mix: 'read', max_operations: 10 }];
  const config = desk.config({ name: 'nightly', target: 'null:', stages, results: { folder } });
  const ran = await controller('run', config, '--progress', 'none');
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  const made = readdirSync(folder);
  assert.match(made.join(' '), /^\d{8}-\d{6}-nightly-[0-9a-f]{4}$/);
  assert.ok(readdirSync(join(folder, made[0] ?? '')).includes('summary.json'));
});
