import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { rebuild } from '../../src/controller/shell/rebuild.js';
import { processGone } from '../support/agent-process.js';
import { eventually } from '../support/eventually.js';
import {
  Fleet,
  heldInCleanup,
  holdWork,
  largeDataset,
  patientTimeouts,
  workloadProcess,
  workloadProcesses,
} from '../support/fleet.js';

suite('an agent is killed (SIGKILL)', { concurrency: 2 }, () => {
  test('up to the start', async (t) => {
    const fleet = await Fleet.start(t);

    await t.test(
      '[RUN-01] an agent killed before the run is named with its cause, exit 3, and nothing starts',
      async () => {
        const { program, address } = fleet.agent(1);
        program.kill('SIGKILL');
        await program.ended;
        const run = fleet.run();
        await run.exits(3);
        for (const agent of fleet.agents) {
          assert.match(run.said, new RegExp(`Connecting to agent ${agent.address}`));
        }
        assert.match(run.said, new RegExp(`Agent ${address} unreachable after 5s: .*refused`));
        assert.equal(run.summary().outcome, 'failed');
        assert.deepEqual(workloadProcesses(fleet.agent(0)), []);
      },
    );

    await t.test(
      '[RUN-05] [RUN-21] an agent killed in prepare has crashed: all abort, exit 3',
      async () => {
        const run = fleet.run({ dataset: largeDataset });
        await run.all('PREPARING');
        const workload = await workloadProcess(fleet.agent(1), run);
        fleet.agent(1).program.kill('SIGKILL');
        await run.exits(3);
        assert.match(
          run.said,
          /Agent agent-2 crashed during prepare phase \(no response for \d+s\)[^]*Only 0\/3 agents ready after \d+s/,
        );
        assert.match(
          run.said,
          /Aborting\.\.\. Sent ABORT to 2 agents\.\.\. Waiting for cleanup\.\.\./,
        );
        assert.equal(run.summary().outcome, 'failed');
        await processGone(workload);
      },
    );

    await t.test(
      '[RUN-19] an agent killed in the start wait is lost: the majority runs, exit 4',
      async () => {
        const run = fleet.run();
        await run.all('ARMED');
        fleet.agent(1).program.kill('SIGKILL');
        await run.exits(4);
        assert.match(run.said, /Agent agent-2 disconnected after \d+s \(completed 0% of work\)/);
        assert.equal(run.summary().coverage.agents_completed, 2);
        assert.ok(run.operationsOf('agent-1') > 0 && run.operationsOf('agent-3') > 0);
        run.checkSums();
      },
    );

    await t.test('the survivors and the restarted agent complete the next run', async () => {
      const run = fleet.run({ seconds: 1 });
      await run.exits(0);
      assert.equal(run.summary().coverage.agents_completed, 3);
      run.checkSums();
    });
  });

  test('from the start on', async (t) => {
    const fleet = await Fleet.start(t);

    await t.test(
      '[RUN-03] [RUN-10] [LINK-12] an agent killed while running: its load ends, its numbers and its count of the link stay, exit 4',
      async () => {
        const run = fleet.run();
        await run.loaded();
        const counted = await eventually('both sides of the link counted', 30_000, () => {
          const [ours, theirs] = [run.records('linkMetrics'), run.records('linkReport')];
          const last = [0, 1, 2].map((agent) => ours.findLast((record) => record.agent === agent));
          const isWhole = last.every((own) => theirs.some(({ agent }) => agent === own?.agent));
          return isWhole ? last.map((own) => own?.metrics) : undefined;
        });
        assert.equal(run.manifest().outcome, 'running');
        const workload = await workloadProcess(fleet.agent(1), run);
        fleet.agent(1).program.kill('SIGKILL');
        await processGone(workload);
        await run.exits(4);
        assert.match(run.said, /Agent agent-2 disconnected after \d+s \(completed \d+% of work\)/);
        assert.doesNotMatch(run.said, /may still be on its host/, 'on any free port none is kept');
        const summary = run.summary();
        assert.equal(summary.outcome, 'partial');
        assert.equal(summary.coverage.agents_completed, 2);
        assert.ok((summary.coverage.host_seconds_ratio ?? 1) < 1);
        assert.ok(run.operationsOf('agent-2') > 0);
        run.checkSums();
        const [survivor, lost] = run.manifest().agents.map((agent) => agent.link_metrics);
        const intervals = survivor?.agent?.sent['interval']?.messages ?? 0;
        assert.ok(intervals > 1 && intervals === survivor?.received['interval']?.messages);
        assert.ok((lost?.agent?.sent['heartbeat']?.messages ?? 0) >= 1);
        const sent = lost?.sent['lease']?.messages ?? 0;
        assert.ok(sent >= (counted[1]?.sent.lease?.messages ?? Infinity));
        const manifest = run.read('run.json');
        await rebuild(run.folder, systemClock);
        assert.deepEqual(JSON.parse(run.read('run.json')), JSON.parse(manifest));
      },
    );

    await t.test(
      '[MEAS-06] the rate of a killed agent is taken over by the others, and the summary says so',
      async () => {
        const stages = [{ name: 'paced', mix: 'stat', rate: '600/s', duration: '16s' }];
        const run = fleet.run({ stages });
        await run.loaded();
        const { program } = fleet.agent(1);
        program.kill('SIGKILL');
        await run.exits(4);
        assert.match(run.said, /The rate of stage paced is now divided over 2 of 3 agents/);
        const [stage] = run.summary().stages;
        assert.deepEqual(
          stage?.rate?.divisions.map(({ agents }) => agents),
          [['agent-1', 'agent-3']],
        );
        assert.ok(
          run
            .summary()
            .warnings.some((line) =>
              /its rate was divided over 2 of 3 agents after \d+s/.test(line),
            ),
        );
        // Exactly half of the whole each from then on: more than a third of the stage's rate over its whole duration.
        for (const id of ['agent-1', 'agent-3']) {
          const own = stage.agents[id]?.operations['stat'];
          assert.ok(own);
          const issued = own.count + own.unissued_schedules;
          assert.ok(issued > 16 * 200 * 1.08 && issued <= 16 * 300, `${id}: ${String(issued)}`);
        }
        run.checkSums();
      },
    );

    await t.test(
      '[RUN-19] an agent killed between two stages: the next stage starts without it, exit 4',
      async () => {
        const stages = [
          { name: 'first', duration: '1s' },
          { name: 'second', duration: '1s' },
        ];
        const run = fleet.run({ stages });
        await run.phase('arming', 'second');
        fleet.agent(1).program.kill('SIGKILL');
        await run.exits(4);
        const [first, second] = run.summary().stages;
        assert.equal(first?.agents_completed, 3);
        assert.equal(second?.agents_completed, 2);
        run.checkSums();
      },
    );

    await t.test(
      '[RUN-19] an agent killed in cleanup costs no results: exit 0, and what is left is named',
      async () => {
        const run = fleet.run({ timeouts: patientTimeouts });
        const holding = await heldInCleanup(run, fleet.agent(1), fleet.agent(2));
        fleet.agent(1).program.kill('SIGKILL');
        holding.release();
        await run.exits(0);
        assert.match(run.said, /Dataset not removed on agent-2: "bench-controller cleanup"/);
        assert.equal(run.summary().coverage.agents_completed, 3);
        assert.match(run.summary().warnings.join(), /Dataset not removed on agent-2/);
        run.checkSums();
      },
    );

    await t.test(
      '[RUN-19] two of three killed while running: majority lost, exit 5, not representative',
      async () => {
        const run = fleet.run({ seconds: 60 });
        await run.loaded();
        fleet.agent(0).program.kill('SIGKILL');
        fleet.agent(1).program.kill('SIGKILL');
        await run.exits(5);
        assert.match(run.said, /1 of 3 agents alive, a majority is needed/);
        assert.match(run.said, /results are not representative/);
        const summary = run.summary();
        assert.equal(summary.outcome, 'aborted');
        assert.equal(summary.representative, false);
        assert.ok(run.operationsOf('agent-3') > 0);
        assert.match(run.read('summary.txt'), /not representative/i);
        run.checkSums();
      },
    );

    await t.test(
      '[RUN-27] a workload process killed while running: its agent has FAILED with the reason, exit 4',
      async () => {
        const run = fleet.run();
        await run.loaded();
        process.kill(await workloadProcess(fleet.agent(1), run), 'SIGKILL');
        await run.exits(4);
        assert.match(run.said, /Agent agent-2 failed: .*(killed|SIGKILL)/);
        assert.equal(run.manifest().agents[1]?.state, 'FAILED');
        assert.ok(run.operationsOf('agent-2') > 0);
        run.checkSums();
      },
    );

    await t.test(
      '[RUN-03] an agent that is stopped by its operator while running says so and leaves: its numbers stay, exit 4',
      async () => {
        const run = fleet.run();
        await run.loaded();
        const { program } = fleet.agent(1);
        program.kill('SIGTERM');
        assert.deepEqual(await program.ended, { code: 130, signal: null });
        await run.exits(4);
        assert.match(run.said, /Agent agent-2 failed: agent stopped by operator/);
        assert.doesNotMatch(run.said, /agent-2 (disconnected|not reached)/, 'it was no loss');
        const { state, ended_by, missing_seconds } = run.agent('agent-2');
        assert.deepEqual([state, ended_by, missing_seconds], ['ABORTED', 'aborted', 0]);
        assert.equal(run.manifest().agents[1]?.state, 'FAILED');
        assert.ok(run.operationsOf('agent-2') > 0);
        run.checkSums();
      },
    );

    await t.test(
      '[RUN-03] an agent that its operator stops when its part is done says so, and nobody waits for it: exit 0',
      async () => {
        const run = fleet.run({ timeouts: patientTimeouts });
        await run.loaded();
        const late = await holdWork(fleet.agent(0), run);
        await run.until('agent-2 done', ({ agents }) =>
          agents.some(({ id, state }) => id === 'agent-2' && state === 'COMPLETED'),
        );
        const { program } = fleet.agent(1);
        program.kill('SIGTERM');
        assert.deepEqual(await program.ended, { code: 130, signal: null });
        await run.waitFor(/Agent agent-2 left the run: agent stopped by operator/);
        late.release();
        await run.exits(0);
        assert.doesNotMatch(run.said, /agent-2 (disconnected|did not come back|not reached)/);
        assert.match(run.said, /Dataset not removed on agent-2/);
        run.checkSums();
      },
    );

    await t.test(
      '[CLI-02] --allow-partial: exit 0 instead of 4, the results stay labelled partial',
      async () => {
        const run = fleet.run({ argv: ['--allow-partial'] });
        await run.loaded();
        process.kill(await workloadProcess(fleet.agent(1), run), 'SIGKILL');
        await run.exits(0);
        assert.equal(run.summary().outcome, 'partial');
        assert.equal(run.summary().exit_code, 0);
        assert.match(run.said, /Agent agent-2 failed: .*(killed|SIGKILL)/);
      },
    );

    await t.test('the same agents complete the next run', async () => {
      const run = fleet.run({ seconds: 1 });
      await run.exits(0);
      assert.equal(run.summary().coverage.agents_completed, 3);
      run.checkSums();
    });
  });
});
