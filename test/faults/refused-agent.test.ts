import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { status } from '@grpc/grpc-js';
import { Fleet, workloadProcesses } from '../support/fleet.js';
import type { RunSettings } from '../support/fleet.js';
import type { FleetRun } from '../support/fleet-run.js';
import { startRawServer } from '../support/raw-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import {
  agentOfAnotherVersion,
  otherGrpcServer,
  silentServer,
  webServer,
} from '../support/strangers.js';

test('an agent cannot be had', async (t) => {
  const fleet = await Fleet.start(t);

  /** Nothing may have been started on the agents that were reached. */
  async function refused(run: FleetRun, sentence: RegExp): Promise<void> {
    await run.exits(3);
    assert.match(run.said, sentence);
    assert.equal(run.summary().outcome, 'failed');
    assert.equal(run.summary().exit_code, 3);
    for (const agent of fleet.agents) assert.deepEqual(workloadProcesses(agent), []);
  }

  /** @returns what those said that did not get the agents */
  async function oneOfAll(t: TestContext, delayMs: number, options: RunSettings): Promise<string> {
    // Each is late at another agent, where it finds it taken by the others.
    const late = await Promise.all(
      fleet.agents.map(async ({ port }) => {
        const proxy = await TcpProxy.start({ port });
        t.after(() => proxy.close());
        proxy.shapeBoth({ delayMs });
        return proxy.address;
      }),
    );
    const runs = late.map((address, index) =>
      fleet.run({ ...options, dataset: { name: 'of-all' }, through: { [index]: address } }),
    );
    const codes = await Promise.all(runs.map(async ({ program }) => (await program.ended).code));
    const all = runs.map((run) => run.said).join('\n');
    assert.deepEqual(codes.toSorted(), [0, 3, 3], all);
    const [winner] = runs.filter((_, index) => codes[index] === 0);
    winner?.checkSums();
    return runs.flatMap((run) => (run === winner ? [] : [run.said])).join('\n');
  }

  await t.test(
    '[RUN-26] [RUN-01] every stranger in the place of an agent is named with what it is, in one go, exit 3',
    async (t) => {
      const [web, grpc, silent] = [
        await webServer(t),
        await otherGrpcServer(t),
        await silentServer(t),
      ];
      const run = fleet.run({ through: { 0: web, 1: grpc, 2: silent } });
      await refused(run, new RegExp(`Agent ${web}: not a Muster agent`));
      assert.match(run.said, new RegExp(`Agent ${grpc}: not a Muster agent`));
      assert.match(run.said, new RegExp(`Agent ${silent} unreachable after 5s: `));
    },
  );

  await t.test(
    '[RUN-01] who takes the connection and does not answer Hello, or fails at it, is not called unreachable: what it does is said, exit 3',
    async (t) => {
      const mute = await startRawServer(t, { hello: () => undefined });
      const failing = await startRawServer(t, {
        hello: (answer) => {
          answer({ code: status.INTERNAL, details: 'no time' });
        },
      });
      const [first, second] = [`127.0.0.1:${mute}`, `127.0.0.1:${failing}`];
      const run = fleet.run({ through: { 0: first, 1: second }, timeouts: { hello: '1s' } });
      const silence = 'takes the connection, but gave no answer to Hello within 1s';
      await refused(run, new RegExp(`Agent ${first}: ${silence}`));
      assert.match(
        run.said,
        new RegExp(
          `Agent ${second}: takes the connection, and fails when asked who it is: no time`,
        ),
      );
      assert.doesNotMatch(run.said, /unreachable/);
    },
  );

  await t.test('an agent of another protocol version is refused with both versions', async (t) => {
    const later = await agentOfAnotherVersion(t);
    const run = fleet.run({ through: { 1: later } });
    await refused(
      run,
      new RegExp(`Agent ${later}: version 9\\.0\\.0 speaks protocol 2.* speaks 1`),
    );
  });

  await t.test('[RUN-02] one agent under two names is refused: it would count twice', async () => {
    const { port, address } = fleet.agent(1);
    const run = fleet.run({ through: { 2: `localhost:${port}` } });
    await refused(
      run,
      new RegExp(`${address} and localhost:${port} are the same agent: name it once`),
    );
    const check = fleet.controller(['check', run.config]);
    assert.equal((await check.ended).code, 3);
    assert.match(
      check.stdout,
      new RegExp(`agent-2: ${address} and localhost:${port} are the same agent: name it once`),
    );
    assert.doesNotMatch(check.output, /busy/);
  });

  await t.test(
    'an agent that works for another run is refused with its owner, exit 3, and that run goes on unharmed',
    async () => {
      const first = fleet.run({ seconds: 15 });
      await first.loaded();
      const second = fleet.run({ agents: [1, 2] });
      await second.exits(3);
      const { run_id } = first.manifest();
      assert.match(
        second.said,
        new RegExp(`busy: run ${run_id} of \\S+ since [\\d:]+ UTC, RUNNING`),
      );
      assert.match(second.said, /Wait until the other run is over, or take .* --steal/);
      assert.doesNotMatch(second.said, /Wait until [^]*ERROR/, 'what to do follows what is wrong');
      await first.exits(0);
      for (const { id } of fleet.agents) first.checkTimeLine(id);
      first.checkSums();
      assert.doesNotMatch(first.said, /WARNING: Agent/);
    },
  );

  await t.test(
    '[CLI-01] --steal takes an agent away from another run, which goes on without it and says who took it, exit 4',
    async () => {
      const first = fleet.run({ seconds: 15 });
      await first.loaded();
      const second = fleet.run({ agents: [1], seconds: 1, argv: ['--steal'] });
      await second.exits(0);
      second.checkSums();
      await first.exits(4);
      const { run_id } = second.manifest();
      assert.match(first.said, new RegExp(`taken over by run ${run_id} of \\S+ \\(--steal\\)`));
      const { coverage, warnings } = first.summary();
      assert.equal(coverage.agents_completed, 2);
      assert.equal(warnings.filter((line) => line.includes('--steal')).length, 1, warnings.join());
    },
  );

  await t.test(
    '[CLI-01] several runs steal the same agents at the same moment: one goes on, the others say why they do not, exit 3',
    async (t) => {
      const victim = fleet.run({ seconds: 60 });
      await victim.loaded();
      const said = await oneOfAll(t, 500, { seconds: 12, argv: ['--steal'] });
      assert.match(said, /took the agent with --steal \d+s ago|taken over by run/);
      await victim.exits(5);
    },
  );

  await t.test(
    '[RUN-01] several runs are started on the same agents at the same moment: one goes on, the others say who has them, exit 3',
    async (t) => {
      const said = await oneOfAll(t, 200, { seconds: 1 });
      assert.match(said, /busy: run \w+ of \S+ since [\d:]+ UTC/);
    },
  );

  await t.test('the agent that was refused is had by the next run', async () => {
    const run = fleet.run({ agents: [1], seconds: 1 });
    await run.exits(0);
    run.checkSums();
  });
});
