import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { processGone } from '../support/agent-process.js';
import { eventually } from '../support/eventually.js';
import { fioStage, lacksFio } from '../support/fio.js';
import { Fleet, workloadProcess } from '../support/fleet.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** The fio that a workload process has started. */
function fioOf(runner: number): Promise<number> {
  return eventually('fio started', 60_000, async () => {
    const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const found = pids.find((pid) => {
      const stat = statOf(pid);
      return (
        stat.includes('(fio)') && stat.slice(stat.lastIndexOf(')')).split(' ')[2] === String(runner)
      );
    });
    return Promise.resolve(found === undefined ? undefined : Number(found));
  });
}

function statOf(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}

test('stages that fio runs', async (t) => {
  if (lacksFio(t)) return;
  const fleet = await Fleet.start(t, { count: 2 });

  await t.test('[RUN-09] Ctrl-C ends fio too; what it had done is in the results', async () => {
    const run = fleet.run({ stages: [{ ...fioStage, duration: '5m' }] });
    await run.loaded();
    const fio = await fioOf(await workloadProcess(fleet.agent(0), run));
    run.program.kill('SIGINT');
    await run.exits(130);
    await processGone(fio);
    assert.ok(run.operationsOf('agent-1') > 0);
    run.checkSums();
  });

  await t.test(
    '[RUN-12] an abort in the start wait ends a fio that was held at its gate',
    async () => {
      const run = fleet.run({ stages: [{ ...fioStage, duration: '5m' }] });
      await run.all('ARMED');
      const fio = await fioOf(await workloadProcess(fleet.agent(0), run));
      run.program.kill('SIGINT');
      await run.exits(130);
      await processGone(fio);
      assert.equal(run.operationsOf('agent-1'), 0);
    },
  );

  await t.test('[RUN-27] fio does not outlive a workload process that is killed', async () => {
    const run = fleet.run({
      stages: [{ ...fioStage, duration: '5m' }],
      config: { failure_policy: 'all' },
    });
    await run.loaded();
    const runner = await workloadProcess(fleet.agent(0), run);
    const fio = await fioOf(runner);
    process.kill(runner, 'SIGKILL');
    await processGone(fio);
    await run.exits(5);
    assert.match(run.said, /workload process was killed by SIGKILL/);
  });
});

test('[ENG-02] a host without fio, or with one that is too old, says so: exit 3, nothing has run', async (t) => {
  const folder = temporaryFolder();
  t.after(folder.remove);
  const shim = join(folder.path, 'fio');
  fs.writeFileSync(shim, '#!/bin/sh\necho fio-3.1\n', { mode: 0o755 });
  const paths = [folder.path, join(folder.path, 'nothing')];
  const fleet = await Fleet.start(t, { count: 2, env: (index) => ({ PATH: paths[index] }) });
  for (const [index, sentence] of [
    [0, /fio 3\.1 is too old: 3\.20 or later/],
    [1, /this host cannot run stages with fio: it has no fio; install the package fio/],
  ] as const) {
    const run = fleet.run({ agents: [index], stages: [{ ...fioStage, duration: '1s' }] });
    await run.exits(3);
    assert.match(run.said, sentence);
    const check = fleet.controller(['check', run.config]);
    assert.equal((await check.ended).code, 3);
    assert.match(check.stdout, sentence);
    assert.deepEqual(fs.readdirSync(fleet.agent(index).target), []);
  }
});

test('[ENG-02] a thread of fio that cannot be set up fails its agent before the start: exit 3, nobody waits for it', async (t) => {
  if (lacksFio(t)) return;
  const folder = temporaryFolder();
  t.after(folder.remove);
  // What fio 3.33 says, and then waits for ever, when the system has no room for another queue (fs.aio-max-nr).
  const said =
    'fio: pid=1, err=11/file:engines/libaio.c:485, func=io_queue_init, error=Resource temporarily unavailable';
  const shim = [
    '#!/bin/sh',
    `case "$1" in --output*) ;; *) PATH='${process.env['PATH'] ?? ''}' exec fio "$@" ;; esac`,
    `echo ready >&3; echo '${said}'; read end <&4`,
    '',
  ].join('\n');
  fs.writeFileSync(join(folder.path, 'fio'), shim, { mode: 0o755 });
  const own = `${folder.path}:${process.env['PATH'] ?? ''}`;
  const fleet = await Fleet.start(t, {
    count: 2,
    env: (index) => (index === 0 ? { PATH: own } : {}),
  });
  const run = fleet.run({ stages: [{ ...fioStage, duration: '1s' }] });
  await run.exits(3);
  assert.match(run.said, /agent-1 failed: stage "load": fio cannot be set up: fio: pid=1, err=11/);
  assert.equal(run.operationsOf('agent-2'), 0);
});
