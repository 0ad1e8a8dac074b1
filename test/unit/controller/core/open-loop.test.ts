import assert from 'node:assert/strict';
import { HistogramLogReader } from 'hdr-histogram-js';
import { test } from 'node:test';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import type { JournalRecord } from '../../../../src/controller/core/records.js';
import type { StageSummary } from '../../../../src/controller/core/summary.js';
import { histogramLog } from '../../../../src/controller/shell/histogram-log.js';
import { intervalsCsv } from '../../../../src/controller/shell/intervals-csv.js';
import { summaryText } from '../../../../src/controller/view/summary-text.js';
import { parseExpectation } from '../../../../src/shared/model/expectation.js';
import { Histogram } from '../../../../src/shared/metrics/histogram.js';
import type { Rate } from '../../../../src/shared/model/pacing.js';
import type { Expectation, StagePlan } from '../../../../src/shared/model/plan.js';
import {
  at,
  completed,
  planOf,
  RecordedAgent,
  runRecord,
  stagePlan,
} from '../../../support/recorded-run.js';

const ms = 1e6;

/** Two agents at 10/s for four seconds; in second 2 the target of the second one stands still. */
function openLoopRun(expect: readonly string[] = []): Aggregate {
  const rate = { unit: 'operations', steps: [{ from: 20, to: 20 }] } as const;
  const stage = stagePlan(0, { name: 'paced', durationMs: 4000, rate, warmupMs: 2000 });
  const expectations = expect.map((text) => parseExpectation(text) as Expectation);
  const plan = planOf(2, [stage], { expect: expectations });
  const records: JournalRecord[] = [at(0, runRecord(plan))];
  records.push(at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0, 1] }));
  for (const index of [0, 1]) {
    const agent = new RecordedAgent();
    for (let second = 0; second < 4; second++) {
      const stalled = index === 1 && second === 2;
      const count = stalled ? 7 : 10;
      const latenciesNs = Array.from({ length: count }, () => ms);
      const responsesNs = latenciesNs.map((ns, i) => (stalled ? ns + i * 100 * ms : ns));
      const work = stalled
        ? { latenciesNs, responsesNs, missed: 9, unissued: 3 }
        : { latenciesNs, responsesNs };
      const interval = agent.interval({ read: work });
      records.push(at(2000 + second * 1000, { type: 'interval', agent: index, interval }));
    }
    const warm = new Histogram();
    warm.record(5 * ms, 20);
    const result = agent.result('duration', 4);
    const [stats] = result.operations;
    assert.ok(stats);
    const warmup = [{ ...stats, count: 20, bytes: 81_920, service: warm.encode() }];
    records.push(at(7000, { type: 'stageResult', agent: index, result: { ...result, warmup } }));
  }
  records.push(at(7100, { type: 'stageEnd', stage: 0 }), at(7200, completed));
  const aggregate = new Aggregate();
  for (const record of records) aggregate.accept(record);
  return aggregate;
}

test('[MEAS-04] a stall is in the response percentiles of run, agent, second and log; service stays what it was', () => {
  const aggregate = openLoopRun();
  const [stage] = aggregate.summary().stages;
  const read = stage?.operations['read'];
  assert.ok(read?.response_ns && read.service_ns);
  assert.ok(read.service_ns.max < 1.01 * ms);
  assert.ok(read.response_ns.p99 > 500 * ms);
  const stalled = stage?.agents['agent-2']?.operations['read'];
  assert.ok(stalled?.response_ns && stalled.response_ns.p90 > 300 * ms);

  const [header = '', ...rows] = [...intervalsCsv(aggregate)].join('').trim().split('\n');
  const columns = header.split(',');
  const cell = (row: string, name: string): string => row.split(',')[columns.indexOf(name)] ?? '';
  const second = rows.find(
    (row) => cell(row, 'agent') === 'agent-2' && cell(row, 'second') === '2',
  );
  const total = rows.find((row) => cell(row, 'agent') === '*' && cell(row, 'second') === '2');
  assert.ok(second !== undefined && total !== undefined);
  for (const row of [second, total]) {
    assert.equal(cell(row, 'missed'), '9');
    assert.ok(Number(cell(row, 'response_max_ns')) > 600 * ms);
    assert.ok(Number(cell(row, 'max_ns')) < 1.01 * ms);
  }
  const calm = rows.find((row) => cell(row, 'agent') === 'agent-1');
  assert.equal(cell(calm ?? '', 'missed'), '0');

  const lines = [...histogramLog(aggregate, aggregate.summary())].join('').split('\n');
  const tagged = lines.filter(
    (line) => line.startsWith('#') || line.startsWith('Tag=paced.read.response,'),
  );
  const reader = new HistogramLogReader(tagged.join('\n'), 64);
  let count = 0;
  let max = 0;
  for (let next = reader.nextIntervalHistogram(); next; next = reader.nextIntervalHistogram()) {
    count += next.totalCount;
    max = Math.max(max, next.maxValue);
  }
  assert.equal(count, read.count);
  assert.equal(max, read.response_ns.max);
});

test('[MEAS-06] the summary says how much of the rate was achieved, and what was missed', () => {
  const summary = openLoopRun().summary();
  const [stage] = summary.stages;
  assert.deepEqual(stage?.rate, {
    unit: 'operations',
    arrival: 'constant',
    planned_per_second: 20,
    achieved_per_second: 19.25,
    missed_schedules: 9,
    unissued_schedules: 3,
    divisions: [],
  });
  const text = summaryText(summary, {});
  assert.match(
    text,
    /achieved 19\.3 ops\/s of 20\.0 ops\/s \(constant arrivals\), 9 schedules missed, 3 of them never issued/,
  );
  assert.match(text, /read .*response .*\n.*service /);
});

interface Done {
  readonly seconds: readonly number[];
  readonly afterS: number;
}

/** What one agent with a thread achieved of 5 operations/s, or of as many blocks in bytes. */
function achieved(done: Done, change: Partial<StagePlan> = {}): number | undefined {
  return rateOf(done, change)?.achieved_per_second;
}

function rateOf(done: Done, change: Partial<StagePlan> = {}): StageSummary['rate'] | undefined {
  const rate = { unit: 'operations', steps: [{ from: 5, to: 5 }] } as const;
  const paced = { durationMs: undefined, threads: 1, rate, ...change };
  const agent = new RecordedAgent();
  const intervals = done.seconds.map((count) =>
    agent.interval({ read: { latenciesNs: Array.from({ length: count }, () => ms) } }),
  );
  const aggregate = new Aggregate();
  for (const record of [
    at(0, runRecord(planOf(1, [stagePlan(0, paced)]))),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0] } as const),
    ...intervals.map((interval) => at(2, { type: 'interval', agent: 0, interval } as const)),
    at(3, { type: 'stageResult', agent: 0, result: agent.result('operations', done.afterS) }),
  ]) {
    aggregate.accept(record);
  }
  return aggregate.summary().stages[0]?.rate;
}

/**
 * Planned and achieved of 10/s for three seconds and 100/s for three more; the second agent is lost after `lostAfter`, and
 * its interval of second `missing` never arrives.
 */
function stepped(
  lostAfter: number,
  steps: Rate['steps'],
  missing?: number,
): readonly (number | undefined)[] {
  const rate = { unit: 'operations', steps } as const;
  const plan = planOf(2, [stagePlan(0, { durationMs: 6000, threads: 1, rate })]);
  const aggregate = new Aggregate();
  const start = { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0, 1] } as const;
  for (const record of [at(0, runRecord(plan)), at(1, start)]) aggregate.accept(record);
  for (const [agent, seconds] of [6, lostAfter].entries()) {
    const recorded = new RecordedAgent();
    for (let second = 0; second < seconds; second++) {
      const latenciesNs = Array.from({ length: second < 3 ? 5 : 50 }, () => ms);
      const interval = recorded.interval({ read: { latenciesNs } });
      if (agent === 1 && second === missing) continue;
      aggregate.accept(at(second, { type: 'interval', agent, interval }));
    }
    if (seconds < 6) continue;
    const result = recorded.result('duration', 6);
    aggregate.accept(at(7, { type: 'stageResult', agent, result }));
  }
  const summary = aggregate.summary().stages[0]?.rate;
  return [summary?.planned_per_second, summary?.achieved_per_second];
}

test('[MEAS-06] what was achieved of steps or a ramp is compared with what was due in the same seconds', () => {
  const twoSteps = [10, 100].map((each) => ({ from: each, to: each }));
  assert.deepEqual(stepped(6, twoSteps), [55, 55]);
  // The common seconds are those of the first step: it was kept.
  assert.deepEqual(stepped(3, twoSteps), [10, 10]);
  assert.deepEqual(stepped(4, twoSteps), [32.5, 32.5]);
  // A second is missing: of the first step two are common, of the other one three.
  assert.deepEqual(stepped(6, twoSteps, 1), [64, 64]);
  // Down to a third: due were 75/s in the first three of six seconds.
  assert.deepEqual(stepped(3, [{ from: 90, to: 30 }]), [75, 10]);
});

test('[MEAS-06] of steps that were cut short before three seconds, what was due until then is the plan', () => {
  const steps = [10, 100].map((each) => ({ from: each, to: each }));
  const rate = { unit: 'operations', steps } as const;
  const cut = rateOf({ seconds: [10, 10], afterS: 2 }, { rate, durationMs: 6000 });
  assert.deepEqual([cut?.planned_per_second, cut?.achieved_per_second], [10, 10]);
});

test('[MEAS-06] the gap after the last operation counts to what was achieved of a rate', () => {
  // n operations have n - 1 gaps between them.
  const seven = { seconds: [5, 2], afterS: 1.2 };
  assert.equal(achieved(seven), 5);
  const bytes = { unit: 'bytes', steps: [{ from: 20_480, to: 20_480 }] } as const;
  assert.equal(achieved(seven, { rate: bytes }), 20_480);
  // Whole seconds at a rate that does not fit into them: 8 operations are due in 3 s of 2.5/s.
  const half = { unit: 'operations', steps: [{ from: 2.5, to: 2.5 }] } as const;
  assert.equal(achieved({ seconds: [3, 2, 3, 1], afterS: 3.2 }, { rate: half }), 2.5);
});

test('[MEAS-06] what was achieved of a rate is not rounded up to it, and what is ahead by more is shown', () => {
  assert.equal(achieved({ seconds: [5, 2], afterS: 1.75 }), 4);
  // What was due in a warm-up that stood still is done in the seconds after it.
  assert.equal(achieved({ seconds: [7, 5, 5, 5], afterS: 4 }), 5.5);
  // One more operation for each thread, which has a schedule of its own.
  assert.equal(achieved({ seconds: [9, 4], afterS: 1.6 }), 8.125);
  assert.equal(achieved({ seconds: [9, 4], afterS: 1.6 }, { threads: 5 }), 5);
  // By one and a half: 7.5 were due in three seconds.
  const half = { unit: 'operations', steps: [{ from: 2.5, to: 2.5 }] } as const;
  assert.equal(achieved({ seconds: [4, 2, 3, 1], afterS: 3.2 }, { rate: half }), 3);
  // By one, in the seconds that the rate is formed over; what came after them does not add to it.
  assert.equal(achieved({ seconds: [6, 5, 5, 5, 5, 5, 2], afterS: 6.4 }), 5);
  // Poisson arrivals begin with a gap.
  assert.equal(achieved({ seconds: [5, 2], afterS: 1.25 }, { arrival: 'poisson' }), 5.6);
});

test('[MEAS-06] a rate is divided anew in seconds of the measurement: neither the wait for T0 nor the warm-up counts', () => {
  const rate = { unit: 'operations', steps: [{ from: 20, to: 20 }] } as const;
  const stage = stagePlan(0, { name: 'paced', durationMs: 2000, rate, warmupMs: 1000 });
  const share = (atMs: number): JournalRecord =>
    at(atMs, { type: 'share', stage: 0, epoch: 1, agents: [0] });
  const aggregate = new Aggregate();
  const start = { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, leadMs: 2000 } as const;
  for (const record of [
    at(0, runRecord(planOf(2, [stage]))),
    at(100, { ...start, agents: [0, 1] }),
    share(2500),
    share(4600),
  ]) {
    aggregate.accept(record);
  }
  const { stages, warnings } = aggregate.summary();
  assert.deepEqual(
    stages[0]?.rate?.divisions.map((division) => division.after_s),
    [0, 1.5],
  );
  assert.ok(
    warnings.includes('stage paced: its rate was divided over 1 of 2 agents from its start'),
  );
  const waiting = new Aggregate();
  for (const record of [at(0, runRecord(planOf(2, [stage]))), share(2500)]) waiting.accept(record);
  const [unstarted] = waiting.summary().stages;
  assert.deepEqual(unstarted?.rate?.divisions, [{ after_s: 0, agents: ['agent-1'] }]);
});

test('a warm-up is in no number but its own', () => {
  const summary = openLoopRun().summary();
  const [stage] = summary.stages;
  const warmup = stage?.warmup?.operations['read'];
  assert.ok(stage && warmup);
  assert.equal(stage.operations['read']?.count, 77);
  assert.equal(warmup.count, 40);
  assert.equal(warmup.per_second, 20);
  assert.ok((warmup.service_ns?.p50 ?? 0) >= 5 * ms);
  assert.match(summaryText(summary, {}), /after 2\.000 s of warm-up/);
});

test('of a warm-up in which an agent was stopped there are counts and no rates', () => {
  const plan = planOf(1, [stagePlan(0, { name: 'cut', durationMs: 4000, warmupMs: 2000 })]);
  const aggregate = new Aggregate();
  const agent = new RecordedAgent();
  const { operations } = agent.interval({ read: { latenciesNs: [ms, ms] } });
  const result = { ...new RecordedAgent().result('aborted', 0), warmup: operations };
  for (const record of [
    at(0, runRecord(plan)),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0] }),
    at(1500, { type: 'stageResult', agent: 0, result }),
  ] as const) {
    aggregate.accept(record);
  }
  const summary = aggregate.summary();
  const { complete, operations: kinds } = summary.stages[0]?.warmup ?? {};
  assert.equal(complete, false);
  assert.deepEqual([kinds?.['read']?.count, kinds?.['read']?.per_second], [2, null]);
  assert.match(summaryText(summary, {}), /stopped before the end of 2\.000 s of warm-up/);
});

test('a warm-up that no agent is known to have got through is not said to be over: an abort in the start wait, a process killed in it', () => {
  const plan = planOf(1, [stagePlan(0, { name: 'cut', durationMs: 4000, warmupMs: 2000 })]);
  const warmupOf = (...more: readonly JournalRecord[]): unknown => {
    const aggregate = new Aggregate();
    const start = { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0] } as const;
    for (const record of [at(0, runRecord(plan)), at(1, start), ...more]) aggregate.accept(record);
    return aggregate.summary().stages[0]?.warmup?.complete;
  };
  const agent = new RecordedAgent();
  const killed = { ...agent.result('killed', 0), intervals: 0 };
  assert.equal(warmupOf(), false);
  assert.equal(warmupOf(at(1500, { type: 'stageResult', agent: 0, result: killed })), false);
  // Stopped in what is measured.
  const later = { ...agent.result('aborted', 1.5), intervals: 2 };
  assert.equal(warmupOf(at(3500, { type: 'stageResult', agent: 0, result: later })), true);
  const interval = agent.interval({ read: { latenciesNs: [ms] } });
  assert.equal(warmupOf(at(3500, { type: 'interval', agent: 0, interval })), true);
});

test('thresholds can be about missed schedules and response times', () => {
  const { expectations } = openLoopRun([
    'paced.read.missed_schedules == 0',
    'paced.missed_schedules <= 9',
    'paced.read.unissued_schedules < 4',
    'paced.read.response.p99 < 100ms',
    'paced.read.service.p99 < 100ms',
    'paced.read.per_second > 19/s',
  ]).summary();
  assert.deepEqual(
    expectations.map(({ measured, passed }) => [typeof measured, passed]),
    [false, true, true, false, true, true].map((passed) => ['number', passed]),
  );
});

test('the live percentile of an open loop is that of the response times', () => {
  const live = openLoopRun().live();
  assert.ok(live.p99Ns !== undefined);
  const aggregate = openLoopRun();
  const stage = aggregate.stages[0];
  assert.ok(stage);
  const merged = stage.headlineSeconds.get('read')?.within({ first: 2, last: 2 });
  assert.ok((merged?.max ?? 0) > 600 * ms);
});
