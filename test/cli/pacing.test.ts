import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Desk } from '../support/cli-run.js';

async function ran(t: TestContext, stages: readonly object[], code: number, more: object = {}) {
  const desk = new Desk(t);
  const run = await desk.run(desk.config({ stages, ...more }), '--embedded', '2');
  assert.equal(run.code, code, run.stdout + run.stderr);
  return { run, results: desk.newest() };
}

test('[MEAS-06] a rate is kept through the binaries, in operations, in bytes and as a ramp', async (t) => {
  const common = { mix: { read: 3, stat: 1 }, block_size: '4KiB', threads: 2, duration: '4s' };
  const { results } = await ran(
    t,
    [
      { name: 'constant', ...common, rate: '1000/s', warmup: '1s' },
      { name: 'poisson', ...common, rate: '1000/s', arrival: 'poisson' },
      { name: 'bytes', ...common, mix: 'read', rate: '4096KB/s' },
      { name: 'ramp', ...common, rate: { from: '200/s', to: '1800/s' } },
      { name: 'closed', ...common, think_time: '20ms', duration: '1s' },
    ],
    0,
    { expect: ['constant.missed_schedules < 4000', 'constant.read.response.p50 < 1s'] },
  );
  for (const stage of results.summary.stages.slice(0, 4)) {
    const done = Object.values(stage.operations);
    const issued = done.reduce((sum, one) => sum + one.count + one.unissued_schedules, 0);
    assert.ok(stage.rate, stage.name);
    // Exact but for the randomness of Poisson (five standard deviations); what a busy machine left undone is counted.
    const margin = stage.name === 'poisson' ? 5 * Math.sqrt(4000) : 8;
    assert.ok(Math.abs(issued - 4000) <= margin, `${stage.name}: ${String(issued)}`);
    for (const one of done) assert.ok(one.response_ns && one.service_ns);
    const seconds = results.intervals.filter(
      (row) => row['stage'] === stage.name && row['agent'] === '*' && row['ops'] !== '0',
    );
    assert.ok(seconds.every((row) => Number(row['response_max_ns']) > 0));
  }
  const [constant, , , , closed] = results.summary.stages;
  // Of 4000 operations 3000, give or take seven standard deviations; a busy machine leaves out of all alike.
  const { read, stat } = constant?.operations ?? {};
  assert.ok(read && stat);
  const share = read.count / (read.count + stat.count);
  assert.ok(Math.abs(share - 0.75) < 0.05, `three reads of four operations: ${String(share)}`);
  const warm = Object.values(constant?.warmup?.operations ?? {});
  assert.ok(warm.reduce((sum, one) => sum + one.count, 0) > 500, 'a second of warm-up at 1000/s');
  assert.equal(closed?.rate, null);
  const thought = Object.values(closed.operations).reduce((sum, one) => sum + one.count, 0);
  assert.ok(thought <= 4 * 51, `4 threads, at most one operation per 20 ms: ${String(thought)}`);
  assert.match(results.text('summary.txt'), /achieved .* of 1 000 ops\/s \(poisson arrivals\)/);
  const log = results.text('histograms.hlog');
  assert.match(log, /^Tag=constant\.read\.response,/m);
  assert.doesNotMatch(log, /^Tag=closed\.read\.response,/m);
});

test('[MEAS-06] a rate that is no whole number is kept, by lanes with one operation in flight and with several', async (t) => {
  const common = { mix: 'read', block_size: '4KiB', threads: 1, duration: '2s', rate: '1.5/s' };
  const stages = [
    { name: 'single', ...common },
    { name: 'deep', ...common, iodepth: 4 },
  ];
  const expect = ['single.read.per_second >= 0.5', 'deep.read.per_second >= 0.5'];
  const { results } = await ran(t, stages, 0, { expect });
  for (const { name, operations, rate } of results.summary.stages) {
    const { count = 0, unissued_schedules: unissued = 0 } = operations['read'] ?? {};
    assert.equal(count + unissued, 3, name);
    assert.equal(rate?.planned_per_second, 1.5);
    assert.ok(rate.achieved_per_second <= 1.5, name);
  }
});

test('[CONF-03] errors fail an agent where the config says so, and are only counted where it does not', async (t) => {
  // Reading so much takes longer than a millisecond on every machine.
  const dataset = { name: 'ds', files: 1, file_size: '64MiB' };
  const more = { dataset, timeouts: { operation: '1ms' } };
  const stage = { name: 'slow', mix: 'get', max_operations: 4 };
  // Not one of them succeeds, and that is a threshold that nobody has to write down.
  const counted = await ran(t, [stage], 1, more);
  const get = counted.results.summary.stages[0]?.operations['get'];
  assert.deepEqual([get?.count, get?.error_codes], [0, { TIMEOUT: 4 }]);

  for (const [policy, reason] of [
    [{ error_policy: { get: 'stop' } }, 'get failed with TIMEOUT, and error_policy is stop'],
    [{ max_error_rate: '10%' }, '2 of 2 operations failed (100%), more than max_error_rate 10%'],
  ] as const) {
    const { run, results } = await ran(t, [{ ...stage, ...policy }], 5, more);
    // One is enough: without it there is no majority.
    assert.ok(run.stderr.includes(`failed: stage "slow": ${reason}`), run.stderr);
    const agents = Object.values(results.summary.stages[0]?.agents ?? {});
    assert.ok(agents.some((agent) => agent.ended_by === 'error'));
  }
});
