import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { processGone } from '../support/agent-process.js';
import {
  deadMansSwitchMs,
  Fleet,
  heldInCleanup,
  holdWork,
  largeDataset,
  patientTimeouts,
  workloadProcess,
} from '../support/fleet.js';
import type { FleetRun } from '../support/fleet-run.js';
import { silentServer } from '../support/strangers.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** Five seconds for the agents to be free again, and what a loaded machine may add. */
const freeAgainMs = 5_000 + 10_000;

suite('the operator ends the run', { concurrency: 2 }, () => {
  test('before the load', async (t) => {
    const fleet = await Fleet.start(t);
    const aborted = abortedOn(fleet);

    await t.test(
      '[RUN-09] Ctrl-C while connecting to an agent that never answers: exit 130 and the others are free',
      async (t) => {
        const silent = await silentServer(t);
        const run = fleet.run({ through: { 1: silent }, timeouts: { connect: '5m' } });
        await run.until('others connected', ({ agents }) =>
          agents.every(({ id, link }) => id === 'agent-2' || link === 'CONNECTED'),
        );
        run.program.kill('SIGINT');
        await aborted(run, 'Ctrl-C');
      },
    );

    await t.test('[RUN-09] Ctrl-C in prepare: exit 130 and the agents are free', async () => {
      const run = fleet.run({ dataset: largeDataset });
      await run.all('PREPARING');
      await workloadProcess(fleet.agent(0), run);
      run.program.kill('SIGINT');
      await aborted(run, 'Ctrl-C', 3);
    });

    await t.test(
      '[RUN-09] [RUN-12] Ctrl-C in the start wait: woken at once, no operation was done, exit 130',
      async () => {
        const run = fleet.run();
        await run.all('ARMED');
        run.program.kill('SIGINT');
        await aborted(run, 'Ctrl-C', 3);
        for (const { program } of fleet.agents) {
          assert.match(program.output, /Coordinated start cancelled by ABORT/);
        }
        assert.deepEqual(run.records('interval'), []);
        assert.deepEqual(run.records('started'), []);
      },
    );

    await t.test('the same agents complete the next run', async () => {
      const run = fleet.run({ seconds: 1 });
      await run.exits(0);
      run.checkSums();
    });
  });

  test('from the load on', async (t) => {
    const fleet = await Fleet.start(t);
    const aborted = abortedOn(fleet);

    await t.test(
      '[RUN-21] [RUN-09] Ctrl-C at 30% of the stage: partial results that add up, exit 130',
      async () => {
        const run = fleet.run({ seconds: 10 });
        await run.until('30%', ({ stage_elapsed_ms }) => (stage_elapsed_ms ?? 0) >= 3000);
        run.program.kill('SIGINT');
        await aborted(run, 'Ctrl-C', 3);
        for (const { id } of fleet.agents) assert.ok(run.operationsOf(id) > 0);
        assert.ok((run.summary().coverage.host_seconds_ratio ?? 1) < 1);
        run.checkSums();
      },
    );

    await t.test(
      '[RUN-09] SIGTERM while results are collected from an agent on storage that hangs: exit 130',
      async () => {
        const run = fleet.run({ timeouts: patientTimeouts });
        await run.loaded();
        await holdWork(fleet.agent(1), run);
        const stuck = await workloadProcess(fleet.agent(1), run);
        await run.phase('collecting');
        run.program.kill('SIGTERM');
        await aborted(run, 'SIGTERM');
        await processGone(stuck);
        assert.ok(run.operationsOf('agent-2') > 0);
        run.checkSums();
      },
    );

    await t.test('[RUN-09] Ctrl-C in cleanup: the results are whole, exit 130', async () => {
      const run = fleet.run({ timeouts: patientTimeouts });
      await heldInCleanup(run, fleet.agent(1), fleet.agent(2));
      run.program.kill('SIGINT');
      await aborted(run, 'Ctrl-C');
      assert.equal(run.summary().coverage.agents_completed, 3);
      run.checkSums();
    });

    await t.test(
      '[RUN-09] a second Ctrl-C ends at once, with the journal on the disk; an unreached agent stops by itself',
      async (t) => {
        const proxy = await TcpProxy.start({ port: fleet.agent(1).port });
        t.after(() => proxy.close());
        const run = fleet.run({
          through: { 1: proxy.address },
          seconds: 60,
          timeouts: { abort: '5m' },
        });
        await run.loaded();
        proxy.blackhole('up');
        proxy.blackhole('down');
        run.program.kill('SIGINT');
        await run.waitFor(/Waiting for cleanup/);
        run.program.kill('SIGINT');
        await run.exits(130);
        assert.match(run.said, /WARNING: The dataset stays on agent-1, agent-2, agent-3: /);
        assert.match(run.said, /WARNING: agent-2 not reached; it stops by itself within \d+s/);
        assert.match(run.said, /Ended at once; the journal is in/);
        assert.ok(run.records('interval').length > 0);
        assert.equal(run.manifest().outcome, 'interrupted');
        // Those that can be told are free at once.
        await fleet.idle(fleet.agent(0), freeAgainMs);
        await fleet.idle(fleet.agent(2), freeAgainMs);
        await fleet.idle(fleet.agent(1), deadMansSwitchMs);
      },
    );

    await t.test('the same agents complete the next run', async () => {
      const run = fleet.run({ seconds: 1 });
      await run.exits(0);
      run.checkSums();
    });
  });
});

test('[RUN-09] Ctrl-C with agents for one run only: they are gone afterwards', async (t) => {
  const fleet = await Fleet.start(t, { count: 2, argv: ['--once'] });
  const run = fleet.run({ seconds: 60 });
  await run.loaded();
  run.program.kill('SIGINT');
  await run.exits(130);
  for (const { program } of fleet.agents) {
    assert.deepEqual(await program.ended, { code: 0, signal: null });
  }
  run.checkSums();
});

function abortedOn(fleet: Fleet) {
  return async (run: FleetRun, by: 'Ctrl-C' | 'SIGTERM', told?: number): Promise<void> => {
    await run.exits(130);
    await Promise.all(fleet.agents.map((agent) => fleet.idle(agent, freeAgainMs)));
    assert.match(run.said, new RegExp(`Received ${by} - aborting all agents`));
    if (told !== undefined) {
      assert.match(
        run.said,
        new RegExp(`Aborting\\.\\.\\. Sent ABORT to ${told} agents\\.\\.\\. Waiting for cleanup`),
      );
    }
    assert.equal(run.summary().outcome, 'interrupted');
    assert.equal(run.summary().exit_code, 130);
    assert.match(run.read('summary.txt'), /INTERRUPTED/);
  };
}
