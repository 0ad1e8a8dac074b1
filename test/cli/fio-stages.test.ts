import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fioStage, lacksFio } from '../support/fio.js';
import { Fleet } from '../support/fleet.js';

test('stages that fio runs', async (t) => {
  if (lacksFio(t)) return;
  const fleet = await Fleet.start(t, { count: 2 });

  await t.test(
    '[ENG-02] [RES-02] the hosts’ fio makes the load; its operations are in every file of the results and add up',
    async () => {
      const run = fleet.run({
        stages: [{ ...fioStage, block_size: '4KiB', duration: '3s' }],
        config: { max_start_spread: '10s' },
      });
      await run.exits(0);
      run.checkSums();
      const [stage] = run.summary().stages;
      assert.ok(stage);
      assert.ok(Number(stage.operations['read']?.count) > 0);
      assert.ok(Number(stage.operations['write']?.count) > 0);
      assert.equal(stage.operations['read']?.errors, 0);
      for (const row of run.intervals()) {
        assert.equal(Number(row['bytes']), 4096 * Number(row['ops']), JSON.stringify(row));
      }
      for (const agent of Object.values(stage.agents)) {
        assert.match(agent.mechanism ?? '', /^fio-3\.\d+ libaio iodepth 4$/);
        assert.equal(agent.ended_by, 'duration');
        assert.equal(agent.missing_seconds, 0);
      }
    },
  );

  await t.test(
    '[ENG-02] what fio says of its syncs is in the results, and what it does not is said',
    async () => {
      const synced = { mix: 'write', fsync: 4, max_operations: 64, iodepth: 1 };
      const run = fleet.run({
        stages: [
          { ...fioStage, ...synced, name: 'timed', fio: {} },
          { ...fioStage, ...synced, name: 'untimed' },
        ],
      });
      await run.exits(0);
      const [timed, untimed] = run.summary().stages;
      // Two agents with two threads each, of 16 writes: no sync follows the last.
      assert.equal(timed?.syncs?.count, 12);
      assert.equal(timed.operations['write']?.count, 64);
      assert.equal(untimed?.syncs, null);
      assert.match(run.said, /I\/O by fio-3\.\d+ psync fsync 4$/m);
      assert.match(run.said, /I\/O by fio-3\.\d+ libaio fsync 4 \(not timed\)$/m);
    },
  );

  await t.test(
    '[MEAS-06] a number of operations is done exactly, over agents and threads',
    async () => {
      const run = fleet.run({ stages: [{ ...fioStage, max_operations: 1001, mix: 'read' }] });
      await run.exits(0);
      assert.equal(run.summary().stages[0]?.operations['read']?.count, 1001);
      run.checkSums();
    },
  );

  await t.test('[MEAS-06] an agent that a limit leaves nothing for has done its part', async () => {
    const least = { ...fioStage, mix: 'read', block_size: '4KiB' };
    const run = fleet.run({
      stages: [
        { ...least, name: 'one', max_operations: 1 },
        { ...least, name: 'block', max_bytes: '4KiB' },
      ],
    });
    await run.exits(0);
    for (const stage of run.summary().stages) {
      assert.equal(stage.operations['read']?.count, 1);
      const states = Object.values(stage.agents).map(({ state, ended_by }) => [state, ended_by]);
      const how = stage.name === 'one' ? 'operations' : 'bytes';
      assert.deepEqual(states, Array(2).fill(['COMPLETED', how]));
    }
    run.checkSums();
  });

  await t.test(
    '[ENG-02] an option that this fio does not have is refused before anything runs',
    async () => {
      // sqthread_poll belongs to io_uring.
      const fio = { ioengine: 'psync', sqthread_poll: 1 };
      const run = fleet.run({ stages: [{ ...fioStage, fio, duration: '1s' }] });
      await run.exits(3);
      assert.match(run.said, /stage "load": fio refuses it: .*sqthread_poll/);
    },
  );
});
