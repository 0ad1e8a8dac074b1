import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import { compareRuns, type ComparedRun } from '../../../../src/controller/core/compare-runs.js';
import { formatSize } from '../../../../src/shared/model/units.js';
import { sampleRun, type SampleOptions } from '../../../support/recorded-run.js';

function run(options: SampleOptions = {}): ComparedRun {
  const aggregate = new Aggregate();
  for (const record of sampleRun({ seconds: 12, ...options })) aggregate.accept(record);
  return { aggregate, summary: aggregate.summary() };
}

/** The sample's own errors. */
const failed = ['A', 'B'].map((side) => `${side}: stage mixed: 3 of 495 write failed (EIO 3)`);

test('[CLI-01] another run of the same test is the same within the noise; operations that failed are in no metric, and are named', () => {
  const { metrics, doubts } = compareRuns(run({ seed: 1 }), run({ seed: 2 }), 0.05);
  assert.deepEqual(
    metrics.map(({ operation, metric }) => `${operation} ${metric}`),
    ['read', 'write'].flatMap((name) => [`${name} per_second`, `${name} p50`, `${name} p99`]),
  );
  for (const { verdict, regression, bound } of metrics) {
    assert.ok(bound !== null);
    assert.equal(verdict, 'same');
    assert.equal(regression, false);
  }
  assert.deepEqual(doubts, failed);
});

test('[CLI-01] a lower rate beyond the limit is a regression, below it a change, and a higher one is better', () => {
  const [fast, slow] = [run({ perSecond: 100 }), run({ perSecond: 80 })];
  const rateOf = (a: ComparedRun, b: ComparedRun, limit: number) =>
    compareRuns(a, b, limit).metrics.find(
      ({ operation, metric }) => operation === 'read' && metric === 'per_second',
    );
  const worse = rateOf(fast, slow, 0.05);
  assert.ok(worse && Math.abs(worse.change + 0.2) < 0.01, String(worse?.change));
  assert.deepEqual([worse.verdict, worse.regression], ['worse', true]);
  const tolerated = rateOf(fast, slow, 0.25);
  assert.deepEqual([tolerated?.verdict, tolerated?.regression], ['worse', false]);
  const better = rateOf(slow, fast, 0.05);
  assert.deepEqual([better?.verdict, better?.regression], ['better', false]);
});

test('[CLI-01] of runs of three seconds nothing is said, neither good nor bad', () => {
  const short = { seconds: 3 };
  const { metrics } = compareRuns(run({ ...short, perSecond: 100 }), run(short), 0.05);
  assert.ok(metrics.length > 0);
  for (const { verdict, bound, regression } of metrics) {
    assert.deepEqual([verdict, bound, regression], ['unclear', null, false]);
  }
});

test('[CLI-01] what makes two runs different tests, and that one is not whole, is said', () => {
  const a = run({ agents: 3 });
  const b = run({ agents: 2, end: false, seconds: 6 });
  const { doubts } = compareRuns(a, b, 0.05);
  assert.ok(doubts.includes('B is interrupted'), doubts.join('; '));
  assert.ok(doubts.includes('A has 3 agents, B has 2'));
  assert.ok(doubts.includes('stage mixed is configured differently: duration 12s in A, 6s in B'));
});

test('[CLI-01] how datasets and stages differ is said in the words of a config', () => {
  const a = run({ seed: 1 });
  const plan = a.aggregate.run?.plan;
  const stage = plan?.stages[0];
  assert.ok(plan && stage);
  const b = run({
    plan: {
      dataset: { ...plan.dataset, fileSizeBytes: 4096, seed: 3 },
      stages: [{ ...stage, access: { zipf: 1.1 }, maxOperations: 1000 }],
    },
  });
  const told = compareRuns(a, b, 0.05).doubts.filter((line) => line.includes('differ'));
  assert.deepEqual(told, [
    `the datasets differ: file_size ${formatSize(plan.dataset.fileSizeBytes)} in A, 4KiB in B; seed not set in A, 3 in B`,
    'stage mixed is configured differently: access random in A, { zipf: 1.1 } in B; max_operations not set in A, 1000 in B',
  ]);
});

test('[CLI-01] a namespace and threads of agents that differ make two runs different tests', () => {
  const a = run({ seed: 1 });
  const plan = a.aggregate.run?.plan;
  assert.ok(plan);
  const agents = plan.agents.map((agent) => ({ ...agent, threads: 4 }));
  const [shared, wide] = [run({ plan: { namespace: 'shared' } }), run({ plan: { agents } })];
  assert.deepEqual(compareRuns(a, shared, 0.05).doubts, [
    ...failed,
    'the files are private in A, shared in B',
  ]);
  assert.deepEqual(compareRuns(wide, a, 0.05).doubts, [
    ...failed,
    'agents have other numbers of threads of their own',
  ]);
});
