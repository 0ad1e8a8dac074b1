import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import { cpuSecondsDuring, processGone } from '../support/agent-process.js';
import { eventually } from '../support/eventually.js';
import { deadMansSwitchMs, Fleet, workloadProcess } from '../support/fleet.js';
import { sendFrames } from '../support/raw-client.js';

suite('the controller is lost, or not what it should be', { concurrency: 2 }, () => {
  test('lost', async (t) => {
    const fleet = await Fleet.start(t);

    await t.test(
      '[RUN-10] the controller is killed: the load stops by itself, and its journal gives the results so far',
      async () => {
        const run = fleet.run({ seconds: 60 });
        await run.loaded();
        const workloads = await Promise.all(
          fleet.agents.map((agent) => workloadProcess(agent, run)),
        );
        // Loaded is what the screen shows; the journal reaches the disk once a second.
        await eventually('intervals of all agents on disk', 60_000, () =>
          run.records('interval').length > fleet.agents.length * 2 ? true : undefined,
        );
        run.program.kill('SIGKILL');
        await run.program.ended;
        await Promise.all(fleet.agents.map((agent) => fleet.idle(agent, deadMansSwitchMs)));
        for (const { program } of fleet.agents) {
          assert.match(program.output, /Controller disconnected - aborting/);
        }
        await Promise.all(workloads.map((pid) => processGone(pid)));

        const report = fleet.controller(['report', run.folder]);
        await report.ended;
        for (const { id } of fleet.agents) assert.ok(run.operationsOf(id) > 0);
        run.checkSums();
      },
    );

    await t.test(
      '[RPC-03] a controller that is stopped for a moment judges nobody by the time it slept: exit 0',
      async () => {
        const run = fleet.run({ seconds: 10, timeouts: { lease: '30s' } });
        await run.loaded();
        const workload = await workloadProcess(fleet.agent(0), run);
        run.program.kill('SIGSTOP');
        // Longer than ping_after + hung_after, in which the load goes on.
        assert.ok((await cpuSecondsDuring(workload, 7_000)) > 0);
        run.program.kill('SIGCONT');
        await run.exits(0);
        assert.doesNotMatch(run.said, /hung|crashed|disconnected/);
        for (const { id } of fleet.agents) run.checkTimeLine(id);
        run.checkSums();
      },
    );

    await t.test('the same agents complete the next run', async () => {
      const run = fleet.run({ seconds: 1 });
      await run.exits(0);
      run.checkSums();
    });
  });

  test('foreign', async (t) => {
    const fleet = await Fleet.start(t);

    await t.test(
      '[RUN-08] garbage from a foreign gRPC client during a run: that stream is ended, the run is unharmed',
      async () => {
        const run = fleet.run({ seconds: 5 });
        await run.loaded();
        const garbage = [randomBytes(1), randomBytes(64), randomBytes(70_000), Buffer.alloc(0)];
        for (const frame of garbage) await sendFrames(fleet.agent(1).address, [frame, frame]);
        await run.exits(0);
        for (const { id } of fleet.agents) run.checkTimeLine(id);
        run.checkSums();
        assert.doesNotMatch(run.said, /disconnected|invalid/);
      },
    );

    await t.test('[RUN-21] a stage of one second: completes on all agents, exit 0', async () => {
      const run = fleet.run({ seconds: 1 });
      await run.exits(0);
      assert.equal(run.summary().stages[0]?.agents_completed, 3);
      for (const { id } of fleet.agents) run.checkTimeLine(id);
      run.checkSums();
    });
  });
});

test('[RUN-10] the controller of agents for one run only is killed: they leave by themselves with exit 0', async (t) => {
  const fleet = await Fleet.start(t, { count: 2, argv: ['--once'] });
  const run = fleet.run({ seconds: 60 });
  await run.loaded();
  run.program.kill('SIGKILL');
  for (const { program } of fleet.agents) {
    assert.deepEqual(await program.ended, { code: 0, signal: null });
    assert.match(program.output, /Controller disconnected - exiting/);
  }
});
