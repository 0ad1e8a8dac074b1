import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAgentProcess } from '../../support/agent-process.js';
import { controller, Desk } from '../../support/cli-run.js';
import {
  assertPercentilesAgree,
  assertRatesAgree,
  assertSumsAgree,
  stageTotal,
} from '../../support/sum-checks.js';
import { filesBelow } from '../../support/temporary-folder.js';

const kiB = 1024;
const fileBytes = 256 * kiB;

const stages = [
  { name: 'fill', mix: 'write', block_size: '64KiB', threads: 2, fsync: 'end', max_bytes: '6MiB' },
  {
    name: 'mixed',
    mix: { read: 70, write: 30 },
    access: 'random',
    threads: 2,
    warmup: '300ms',
    duration: '1s',
  },
  {
    name: 'direct',
    mix: 'read',
    block_size: '4KiB',
    access: 'random',
    direct: true,
    max_operations: 100,
  },
  { name: 'synced', mix: 'write', block_size: '4KiB', fsync: 'every', max_operations: 31 },
  {
    name: 'files',
    mix: { put: 5, get: 3, stat: 2, list: 1, delete: 1 },
    threads: 2,
    max_operations: 241,
  },
  { name: 'folders', mix: { mkdir: 3, rmdir: 1 }, threads: 2, max_operations: 100 },
  {
    name: 'deep',
    mix: 'read',
    block_size: '4KiB',
    access: 'random',
    threads: 1,
    iodepth: 8,
    duration: '5s',
  },
];

/** Of the stages with a duration: operations that an agent has in flight all the time. */
const inFlight: Readonly<Record<string, number>> = { mixed: 2, deep: 8 };

test('[RES-02] [MEAS-01] [MEAS-05] three agents, seven stages: all sums agree with each other and with the disk', async (t) => {
  const desk = new Desk(t);
  const agents = await Promise.all([1, 2, 3].map(() => startAgentProcess()));
  for (const { program } of agents) t.after(() => program.stop());
  const config = desk.config({ agents: agents.map(({ address }) => address), stages });
  const ran = await desk.run(config, '--no-cleanup');
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  const results = desk.newest();
  const { summary } = results;

  await t.test('summary = agents = intervals = journal', () => {
    assert.deepEqual(
      summary.stages.map(({ name }) => name),
      stages.map(({ name }) => name),
    );
    assertSumsAgree(results);
  });
  await t.test('percentiles are those of one merged histogram', () => {
    assertPercentilesAgree(results);
  });
  await t.test('limits are for the whole run, and exact', () => {
    const [fill, , direct, synced, files, folders] = summary.stages;
    assert.equal(stageTotal(fill).bytes, 6 * 1024 * kiB);
    assert.deepEqual([stageTotal(direct).count, stageTotal(direct).bytes], [100, 400 * kiB]);
    assert.equal(stageTotal(synced).count, 31);
    assert.equal(stageTotal(files).count, 241);
    assert.equal(stageTotal(folders).count, 100);
  });
  await t.test('bytes are operations × size', () => {
    for (const { name, operations } of summary.stages) {
      const size = name === 'fill' ? 64 * kiB : name === 'mixed' ? 1024 * kiB : 4 * kiB;
      for (const [operation, { count, bytes }] of Object.entries(operations)) {
        if (operation === 'read' || operation === 'write') {
          assert.equal(bytes, count * Math.min(size, fileBytes), `${name}.${operation}`);
        } else if (operation === 'put') assert.equal(bytes, count * fileBytes, operation);
        else if (operation !== 'get') assert.equal(bytes, 0, operation);
      }
    }
  });
  await t.test('rates are what the counts, the seconds and intervals.csv make of them', () => {
    assertRatesAgree(results);
  });
  await t.test(
    '[MEAS-03] rate × mean latency is the number of operations in flight (Little’s law)',
    () => {
      for (const [name, depth] of Object.entries(inFlight)) {
        const stage = summary.stages.find((one) => one.name === name);
        assert.ok(stage);
        for (const [id, { operations, done_s: doneS }] of Object.entries(stage.agents)) {
          const busyS = Object.values(operations).reduce(
            (sum, { count, service_ns: latency }) => sum + (count * (latency?.mean ?? 0)) / 1e9,
            0,
          );
          const found = busyS / (doneS ?? 0);
          const what = `${name} of ${id}: ${found} in flight`;
          // Nothing overlaps by more; a thread that waits for a core between its operations shows as less.
          assert.ok(found > 0.6 * depth && found < 1.01 * depth, what);
        }
      }
    },
  );
  await t.test('what is on disk is what was counted', () => {
    const files = summary.stages[4]?.operations ?? {};
    const folders = summary.stages[5]?.operations ?? {};
    const churn = filesBelow(desk.target).filter((file) => file.includes('/churn/'));
    assert.equal(churn.length, (files['put']?.count ?? 0) - (files['delete']?.count ?? 0));
    for (const file of churn) assert.equal(statSync(join(desk.target, file)).size, fileBytes);
    const left = (folders['mkdir']?.count ?? 0) - (folders['rmdir']?.count ?? 0);
    const made = readdirSync(desk.target, { recursive: true, encoding: 'utf8' });
    assert.equal(made.filter((path) => /\/d\d+$/.test(path)).length, left);
  });
  await t.test('first and last done and the start are measured, per agent and stage', () => {
    for (const stage of summary.stages) {
      const { first_done_s: first, last_done_s: last, start } = stage;
      assert.ok(first !== null && last !== null && first <= last && first > 0, stage.name);
      assert.ok(start !== null && start.spread_ns >= 0 && start.bound_ns > 0, stage.name);
      assert.ok(Object.keys(stage.agents).includes(stage.straggler ?? ''), stage.name);
    }
  });
  await t.test('[RES-03] report makes every file again, byte for byte', async () => {
    const copy = join(desk.path, 'copy');
    cpSync(results.path, copy, { recursive: true });
    const made = ['summary.json', 'summary.txt', 'intervals.csv', 'histograms.hlog', 'run.json'];
    for (const name of made) writeFileSync(join(copy, name), '');
    const report = await controller('report', copy);
    assert.equal(report.code, 0, report.stderr);
    for (const name of made) {
      assert.equal(readFileSync(join(copy, name), 'utf8'), results.text(name), name);
    }
  });
  await t.test('[SAFE-03] cleanup leaves the target empty, and the agents idle', async () => {
    const cleaned = await desk.command('cleanup', config);
    assert.equal(cleaned.code, 0, cleaned.stderr);
    assert.deepEqual(readdirSync(desk.target), []);
    const fleet = await controller('agents', ...agents.map(({ address }) => address));
    assert.equal(fleet.stdout.match(/ IDLE /g)?.length, 3, fleet.stdout);
  });
});
