import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { processGone } from '../support/agent-process.js';
import { Fleet, holdWork, workloadProcess } from '../support/fleet.js';
import type { FleetAgent } from '../support/fleet.js';

function freeze(agent: FleetAgent): { thaw(): void } {
  agent.program.kill('SIGSTOP');
  return {
    thaw: () => {
      agent.program.kill('SIGCONT');
    },
  };
}

/** timeouts.collect of these runs. */
const collectMs = 4_000;
/** Go is given at most this long before the stage begins. */
const leadMs = 4_000;
/** What a loaded machine may add; hanging until ping_after + hung_after would take longer. */
const slackMs = 8_000;

suite('an agent is frozen (SIGSTOP)', { concurrency: 2 }, () => {
  test('up to the start, and for a moment', async (t) => {
    const fleet = await Fleet.start(t);

    await t.test(
      '[RUN-05] an agent frozen in prepare has crashed after prepare_silence: exit 3',
      async () => {
        const run = fleet.run({ timeouts: { lease: '60s' } });
        await run.all('PREPARING');
        // The others are ready, and wait.
        const slow = await holdWork(fleet.agent(2), run);
        const frozen = freeze(fleet.agent(1));
        await run.exits(3);
        slow.release();
        assert.match(
          run.said,
          /Agent agent-2 crashed during prepare phase \(no response for \d+s\)[^]*Only \d\/3 agents ready after \d+s/,
        );
        assert.match(run.said, /agent-2 not reached; it stops by itself within [1-5]\ds/);
        frozen.thaw();
      },
    );

    await t.test(
      '[RUN-06] [RUN-28] an agent frozen while armed gets no Go: it does not start later, the others run, exit 4',
      async () => {
        // Asked once more who it is, it is silent until long before the end.
        const run = fleet.run({ seconds: 8, timeouts: { hello: '7s' }, argv: ['-v'] });
        await run.all('ARMED');
        const frozen = freeze(fleet.agent(1));
        await run.exits(4);
        assert.match(run.said, /Agent agent-2 .*(marking as hung|missed the start)/);
        assert.match(run.said, /^Agent agent-2: Hello failed: /m, '-v shows debug lines');
        assert.ok(run.operationsOf('agent-1') > 0 && run.operationsOf('agent-3') > 0);
        run.checkSums();
        frozen.thaw();
      },
    );

    await t.test(
      '[RUN-07] an agent frozen for two seconds of a stage delivers them all: sums complete, exit 0',
      async () => {
        const run = fleet.run({ seconds: 6, timeouts: { ping_after: '10s', lease: '13s' } });
        await run.loaded();
        const frozen = freeze(fleet.agent(1));
        await run.until('two seconds of silence', ({ agents }) =>
          agents.some(({ id, silent_ms }) => id === 'agent-2' && silent_ms > 2000),
        );
        frozen.thaw();
        await run.exits(0);
        assert.equal(run.summary().coverage.agents_completed, 3);
        for (const { id } of fleet.agents) run.checkTimeLine(id);
        run.checkSums();
      },
    );

    await t.test(
      '[MEAS-06] a workload process that is stopped for a moment of a stage is named in the warnings: exit 0',
      async () => {
        const run = fleet.run({ seconds: 6, timeouts: { ping_after: '10s', lease: '13s' } });
        await run.loaded();
        const stopped = await holdWork(fleet.agent(1), run);
        await run.until('two seconds of its silence', ({ agents }) =>
          agents.some(
            ({ id, runner_silent_ms: silentMs }) => id === 'agent-2' && (silentMs ?? 0) > 2000,
          ),
        );
        stopped.release();
        await run.exits(0);
        run.checkSums();
        const { warnings } = run.summary();
        const named =
          /^stage \S+: the workload process stood still for up to \d+(\.\d)? ms on \d of 3 agents .*agent-2/;
        assert.ok(
          warnings.some((line) => named.test(line)),
          warnings.join('\n'),
        );
      },
    );

    await t.test('the same agents complete the next run', async () => {
      const run = fleet.run({ seconds: 1 });
      await run.exits(0);
      run.checkSums();
    });
  });

  test('from the start on', async (t) => {
    const fleet = await Fleet.start(t);

    await t.test(
      '[RUN-06] an agent that stays frozen is pinged, then hung `collect` after the end: exit 4',
      async () => {
        const seconds = 8;
        const timeouts = { hung_after: '30s', lease: '40s' };
        const run = fleet.run({ seconds, timeouts });
        await run.loaded();
        const frozen = freeze(fleet.agent(1));
        await run.exits(4);
        assert.match(
          run.said,
          /Agent agent-2 no stats for \d+s, sending PING[^]*Agent agent-2 not responding \(no message for \d+s\) - marking as hung/,
        );
        assert.doesNotMatch(run.said, /Hello failed/, 'a debug line, without -v');
        const [start] = run.records('stageStart');
        const [end] = run.records('stageEnd');
        const tookMs = (end?.atMs ?? Infinity) - (start?.atMs ?? 0);
        assert.ok(tookMs < leadMs + seconds * 1000 + collectMs + slackMs, `${tookMs} ms`);
        const { stages } = run.summary();
        assert.equal(stages[0]?.agents_completed, 2);
        assert.equal(run.agent('agent-2').state, 'HUNG');
        assert.ok(run.operationsOf('agent-2') > 0);
        run.checkSums();
        frozen.thaw();
      },
    );

    await t.test(
      '[RUN-07] a hung agent that wakes up in time is filled in from where it fell silent: exit 0 and a warning',
      async () => {
        const run = fleet.run({ seconds: 14, timeouts: { lease: '30s' } });
        await run.loaded();
        const frozen = freeze(fleet.agent(1));
        await run.waitFor(/Agent agent-2 not responding .* - marking as hung/);
        frozen.thaw();
        await run.exits(0);
        assert.match(run.said, /Agent agent-2 speaks again after \d+s/);
        run.checkTimeLine('agent-2');
        run.checkSums();
      },
    );

    await t.test(
      '[RUN-07] an agent that is frozen in a stage and wakes in the next one takes part again from the one after: exit 4',
      async () => {
        const names = ['s1', 's2', 's3', 's4'];
        const run = fleet.run({
          stages: names.map((name) => ({ name, duration: name === 's2' ? '3s' : '1s' })),
          timeouts: { collect: '3s', lease: '60s', cleanup: '60s' },
          dataset: { name: 'rejoined' },
        });
        await run.phase('running', 's1');
        const frozen = freeze(fleet.agent(1));
        await run.phase('running', 's2');
        frozen.thaw();
        await run.exits(4);
        assert.match(run.said, /agent-2 speaks again after \d+s[^]*agent-2 rejoins at stage s3/);
        const { stages, warnings } = run.summary();
        assert.deepEqual(
          stages.map((stage) => [stage.agents_started, stage.agents_completed]),
          [
            [3, 3],
            [2, 2],
            [3, 3],
            [3, 3],
          ],
        );
        assert.match(
          warnings.join('\n'),
          /stage s2: agent agent-2 at \S+ did not complete it \(NOT_STARTED: .* hung\)[^]*agent-2: it hung once/,
        );
        run.checkSums();
        assert.doesNotMatch(run.said, /Dataset not removed|got no further/);
        assert.ok(!fs.existsSync(path.join(fleet.agent(1).target, 'rejoined')));
      },
    );

    await t.test(
      '[RUN-10] the workload of a frozen agent ends by itself when the lease is over',
      async () => {
        const run = fleet.run({ seconds: 60 });
        await run.loaded();
        const workload = await workloadProcess(fleet.agent(1), run);
        const frozen = freeze(fleet.agent(1));
        await processGone(workload, 60_000);
        run.program.kill('SIGINT');
        await run.exits(130);
        assert.doesNotMatch(run.said, /it stops by itself/, 'it has');
        frozen.thaw();
      },
    );

    await t.test('the same agents complete the next run', async () => {
      const run = fleet.run({ seconds: 1 });
      await run.exits(0);
      run.checkSums();
    });
  });
});
