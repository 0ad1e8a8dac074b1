import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Summary } from '../../src/controller/core/summary.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import type { HostMessage } from '../bench/simulated/host.js';
import { SimulatedLoad } from '../bench/simulated/load.js';
import { eventually } from '../support/eventually.js';
import { Program } from '../support/program.js';
import { turnsFile } from '../support/turns.js';

const agents = 300;
const buckets = 400;
const seconds = 30;
/** What comes meanwhile is three times what may wait. */
const frozenSeconds = 10;

const hostProgram = fileURLToPath(new URL('../bench/simulated/host.js', import.meta.url));

test(`[RUN-17] a controller that wakes up to ${agents * frozenSeconds} seconds of stats: the oldest lose their place in the time line with one warning, totals are exact, nobody is accused`, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'muster-overload-'));
  const host = fork(hostProgram, [0, agents, buckets].map(String));
  t.after(() => {
    host.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const began = new Promise<void>((resolve) => {
    host.on('message', (message: HostMessage) => {
      if ('beganMs' in message) resolve();
    });
  });
  const [{ ports }] = (await once(host, 'message')) as [{ ports: readonly number[] }];
  const config = path.join(folder, 'config.json');
  const stages = [{ name: 'load', mix: 'read', duration: `${seconds}s` }];
  fs.writeFileSync(
    config,
    JSON.stringify({
      name: 'overload',
      agents: ports.map((port) => `127.0.0.1:${port}`),
      target: 'null:',
      timeouts: { connect: '60s', hello: '60s' },
      stages,
    }),
  );
  const results = path.join(folder, 'results');
  const argv = ['run', config, '--results', results, '--progress', 'lines'];
  // [RPC-04] Three times the agents that a controller is made for: what comes in one turn of its loop takes what it takes.
  const program = new Program('bench-controller', argv, { [turnsFile]: '' });
  t.after(() => program.stop());
  await began;
  const journal = (): string => {
    const [name = ''] = fs.readdirSync(results);
    return fs.readFileSync(path.join(results, name, 'journal.ndjson'), 'utf8');
  };
  await eventually('intervals arrive', 60_000, () =>
    Promise.resolve(journal().includes('"type":"interval"') ? true : undefined),
  );
  program.kill('SIGSTOP');
  // Exactly this is what is tested.
  await new Promise<void>((resolve) => systemClock.after(frozenSeconds * 1000, resolve));
  program.kill('SIGCONT');
  const { code } = await program.ended;
  assert.equal(code, 0, program.stderr.slice(-2000));
  const [name = ''] = fs.readdirSync(results);
  const text = fs.readFileSync(path.join(results, name, 'summary.json'), 'utf8');
  const { stages: done, measurement, coverage, warnings } = JSON.parse(text) as Summary;
  assert.equal(coverage.agents_completed, agents);
  assert.equal(measurement.missing_intervals, 0);
  t.diagnostic(`${measurement.dropped_live} intervals lost their place in the time line`);
  assert.ok(measurement.dropped_live > 0, 'the inbox overflowed');
  const overflow = warnings.filter((line) =>
    /counted in the totals only: controller overloaded/.test(line),
  );
  assert.equal(overflow.length, 1, warnings.join('\n'));
  assert.doesNotMatch(program.stderr, /hung|disconnected|crashed/i);
  const load = new SimulatedLoad(buckets, 1);
  let expected = 0;
  for (let agent = 0; agent < agents; agent++) {
    for (let second = 0; second < seconds; second++) expected += load.second(agent, second).count;
  }
  const { count = 0, service_ns: service } = done[0]?.operations['read'] ?? {};
  assert.equal(count, expected);
  assert.ok(service);
});
