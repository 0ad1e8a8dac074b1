import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { processGone } from '../support/agent-process.js';
import {
  deadMansSwitchMs,
  Fleet,
  heldInCleanup,
  holdWork,
  patientTimeouts,
  workloadProcess,
} from '../support/fleet.js';
import type { LinkProxy } from '../../src/controller/shell/rehearsal/link-proxy.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** A fleet whose second agent is behind a proxy. */
async function proxied(t: TestContext): Promise<{
  fleet: Fleet;
  proxy: LinkProxy;
  through: Readonly<Record<number, string>>;
}> {
  const fleet = await Fleet.start(t);
  const proxy = await TcpProxy.start({ port: fleet.agent(1).port });
  t.after(() => proxy.close());
  t.beforeEach(() => {
    proxy.heal();
  });
  return { fleet, proxy, through: { 1: proxy.address } };
}

const reconnected =
  /Agent agent-2 disconnected after \d+s[^]*Agent agent-2 reconnected \(stream \d+\)/;

suite('the network of one agent fails', { concurrency: 2 }, () => {
  test('for a moment', async (t) => {
    const { fleet, proxy, through } = await proxied(t);

    await t.test(
      '[LINK-04] in prepare and in the start wait: the run goes on, exit 0',
      async () => {
        const run = fleet.run({ through, seconds: 2 });
        await run.all('PREPARING');
        const slow = await holdWork(fleet.agent(1), run);
        proxy.reset();
        await run.waitFor(/Agent agent-2 reconnected \(stream 2\)/);
        slow.release();
        await run.all('ARMED');
        proxy.reset();
        await run.exits(0);
        assert.match(run.said, /Agent agent-2 reconnected \(stream 3\)/);
        assert.doesNotMatch(run.said, /Invalid transition/);
        run.checkSums();
        for (const { id } of fleet.agents) run.checkTimeLine(id);
      },
    );

    await t.test(
      '[LINK-04] [RUN-03] while running: nothing is lost and nothing counted twice, exit 0 and a warning',
      async () => {
        const run = fleet.run({ through, seconds: 8 });
        await run.loaded();
        proxy.reset();
        await run.waitFor(reconnected);
        proxy.drop();
        await run.exits(0);
        assert.equal(run.manifest().agents[1]?.reconnects, 2);
        assert.equal(run.summary().coverage.agents_completed, 3);
        for (const { id } of fleet.agents) run.checkTimeLine(id);
        run.checkSums();
      },
    );

    await t.test(
      '[LINK-02] [LINK-04] a connection dies without a sign: a fresh one takes its place, nobody is hung, exit 0',
      async () => {
        const timeouts = { ...patientTimeouts, ping_after: '10s', hung_after: '20s', lease: '60s' };
        const run = fleet.run({ through, seconds: 12, timeouts });
        await run.loaded();
        proxy.blackhole('up');
        proxy.blackhole('down');
        proxy.healNew();
        await run.waitFor(/Agent agent-2 reconnected \(stream 2\)/);
        await run.exits(0);
        assert.doesNotMatch(run.said, /hung/);
        assert.equal(run.summary().coverage.agents_completed, 3);
        for (const { id } of fleet.agents) run.checkTimeLine(id);
        run.checkSums();
      },
    );

    await t.test(
      '[RUN-07] [LINK-02] a connection that dies without a sign, and no way to a fresh one until the agent is hung: it is back with one, exit 0',
      async () => {
        const run = fleet.run({ through, seconds: 20, timeouts: { lease: '60s' } });
        await run.loaded();
        proxy.blackhole('up');
        proxy.blackhole('down');
        await run.waitFor(/Agent agent-2 not responding \(no stats for \d+s\) - marking as hung/);
        proxy.healNew();
        await run.waitFor(/Agent agent-2 reconnected \(stream 2\)/);
        await run.exits(0);
        assert.equal(run.summary().coverage.agents_completed, 3);
        for (const { id } of fleet.agents) run.checkTimeLine(id);
        run.checkSums();
        const [hang = 0] = run.manifest().agents[1]?.link_metrics?.hangs_ms ?? [];
        assert.ok(hang >= 6000, `hung for ${hang} ms`);
      },
    );

    await t.test(
      '[LINK-04] between stages, at the collecting and in cleanup: all results arrive, exit 0',
      async () => {
        const stages = [
          { name: 'first', duration: '1s' },
          { name: 'second', duration: '4s' },
        ];
        const run = fleet.run({ through, stages, timeouts: patientTimeouts });
        await run.phase('arming', 'second');
        proxy.reset();
        await run.loaded('second');
        const late = await holdWork(fleet.agent(1), run);
        await run.phase('collecting', 'second');
        proxy.reset();
        await run.waitFor(/Agent agent-2 reconnected \(stream 3\)/);
        const other = await holdWork(fleet.agent(2), run);
        late.release();
        other.release();
        await run.exits(0);
        assert.equal(run.summary().coverage.agents_completed, 3);
        run.checkSums();
      },
    );

    await t.test('[LINK-04] in cleanup: the dataset is removed, exit 0', async () => {
      const run = fleet.run({ through, timeouts: patientTimeouts });
      const holding = await heldInCleanup(run, fleet.agent(1), fleet.agent(2));
      proxy.reset();
      await run.waitFor(reconnected);
      holding.release();
      await run.exits(0);
      assert.doesNotMatch(run.said, /Dataset not removed/);
      run.checkSums();
    });

    await t.test('the same agents complete the next run', async () => {
      const run = fleet.run({ through, seconds: 1 });
      await run.exits(0);
      run.checkSums();
    });
  });

  test('for good, or is slow', async (t) => {
    const { fleet, proxy, through } = await proxied(t);

    await t.test(
      '[RUN-21] cut for good at half of a stage: lost after the window, survivors complete, exit 4; its load stops by itself',
      async () => {
        const run = fleet.run({ through, seconds: 12 });
        await run.until(
          'half time',
          ({ phase, stage_elapsed_ms }) => phase === 'running' && (stage_elapsed_ms ?? 0) >= 6000,
        );
        const workload = await workloadProcess(fleet.agent(1), run);
        proxy.refuse(true);
        proxy.reset();
        await run.exits(4);
        assert.match(
          run.said,
          /Agent agent-2 disconnected after \d+s \(completed [4-9]\d% of work\)[^]*Agent agent-2 did not come back/,
        );
        assert.ok(run.operationsOf('agent-2') > 0);
        assert.equal(run.summary().coverage.agents_completed, 2);
        run.checkTimeLine('agent-1');
        run.checkTimeLine('agent-3');
        run.checkSums();
        await fleet.idle(fleet.agent(1), deadMansSwitchMs);
        await processGone(workload);
        assert.match(fleet.agent(1).program.output, /Controller disconnected/);
      },
    );

    await t.test('[RUN-05] cut for good in prepare: exit 3', async () => {
      const run = fleet.run({ through });
      await run.all('PREPARING');
      await holdWork(fleet.agent(1), run);
      proxy.refuse(true);
      proxy.reset();
      await run.exits(3);
      assert.match(run.said, /Agent agent-2 (crashed during prepare phase|did not come back)/);
      assert.match(run.said, /Only [02]\/3 agents ready after \d+s/);
    });

    await t.test(
      '[RUN-04] [RUN-21] [LINK-11] two seconds of latency: a warning, no false timeout, the run completes, exit 0',
      async () => {
        // The deadlines of the protocol, not the short ones of these tests.
        const timeouts = {
          ping_after: '60s',
          hung_after: '60s',
          prepare_silence: '30s',
          collect: '10s',
          reconnect_window: '30s',
          lease: '150s',
        };
        proxy.shapeBoth({ delayMs: 1000 });
        const run = fleet.run({ through, seconds: 7, timeouts });
        await run.exits(0);
        assert.match(
          run.said,
          /WARNING: Agent agent-2 message latency: [\d.]+s \(network issue\?\)/,
        );
        assert.doesNotMatch(run.said, /disconnected|crashed|hung|unreachable/);
        assert.match(run.read('controller.log'), /agent-2: .*; intervals per frame are now 2$/m);
        for (const { id } of fleet.agents) run.checkTimeLine(id);
        run.checkSums();
      },
    );

    await t.test('the same agents complete the next run', async () => {
      const run = fleet.run({ through, seconds: 1 });
      await run.exits(0);
      run.checkSums();
    });
  });
});
