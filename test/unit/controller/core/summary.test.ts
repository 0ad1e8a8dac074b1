import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import type { JournalRecord, RunRecord } from '../../../../src/controller/core/records.js';
import { startSpread } from '../../../../src/controller/core/start-spread.js';
import type { Summary } from '../../../../src/controller/core/summary.js';
import type { Expectation } from '../../../../src/shared/model/plan.js';
import { parseExpectation } from '../../../../src/shared/model/expectation.js';
import {
  at,
  completed,
  planOf,
  RecordedAgent,
  runRecord,
  sampleRun,
  stagePlan,
  to,
} from '../../../support/recorded-run.js';

function summaryOf(records: readonly JournalRecord[]): Summary {
  const aggregate = new Aggregate();
  for (const record of records) aggregate.accept(record);
  return aggregate.summary();
}

/** The sample run has one error of each agent. */
const someFailed = 'stage mixed: 3 of 208 write failed (EIO 3)';

/** The sample run with records changed on the way; undefined leaves one out. */
function changed(change: (record: JournalRecord) => JournalRecord | undefined): Summary {
  return summaryOf(sampleRun().flatMap((record) => change(record) ?? []));
}

test('a stage by time in which agents ran out of things to do is warned of', () => {
  const summary = summaryOf(
    sampleRun().map((record) =>
      record.type === 'stageResult' && record.agent === 1
        ? { ...record, result: { ...record.result, endedBy: 'exhausted' } }
        : record,
    ),
  );
  const line = summary.warnings.find((warning) => warning.includes('nothing left to do')) ?? '';
  assert.match(
    line,
    /^stage \S+: 1 of 3 agents had nothing left to do after [\d.]+ s of [\d.]+ s$/,
  );
  assert.ok(!summaryOf(sampleRun()).warnings.some((warning) => warning.includes('nothing left')));
});

test('[RUN-20] start spread: latest minus earliest, with how much clocks could add', () => {
  const of = 'first_operation';
  assert.equal(startSpread([], of), null);
  const alone = startSpread([{ latenessNs: 500, boundNs: 90 }], of);
  assert.deepEqual(alone, { of, spread_ns: 0, bound_ns: 0 });
  const starts = [
    { latenessNs: 100, boundNs: 10 },
    { latenessNs: 300, boundNs: 20 },
    { latenessNs: 290, boundNs: 50 },
  ];
  const spread = startSpread(starts, of);
  // The third may really be at 340, the first at 90.
  assert.deepEqual(spread, { of, spread_ns: 200, bound_ns: 50 });
});

test('[RUN-20] a start spread above max_start_spread is warned about', () => {
  const warningsWith = (maxStartSpreadMs: number) => {
    const late = (record: JournalRecord) =>
      record.type === 'started' && record.agent === 2
        ? { ...record, latenessNs: 25_000_000 }
        : record;
    return summaryOf(sampleRun({ plan: { maxStartSpreadMs } }).map(late)).warnings;
  };
  assert.deepEqual(warningsWith(20), [
    'stage mixed: agents started 24.9 ms apart, more than max_start_spread (20 ms)',
    someFailed,
  ]);
  assert.deepEqual(warningsWith(25), [someFailed]);
  assert.deepEqual(summaryOf(sampleRun()).warnings, [someFailed]);
  const line = 'Dataset not removed on agent-2';
  const more = summaryOf([...sampleRun(), at(90_000, { type: 'warning', line })]);
  assert.deepEqual(more.warnings, [someFailed, line]);
});

test('[RES-05] coverage: an agent lost half way leaves its half of the host-seconds', () => {
  const plan = planOf(2, [stagePlan(0, { durationMs: 10_000 })]);
  const records = [
    at(0, runRecord(plan)),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0, 1] }),
  ];
  for (const index of [0, 1]) {
    const agent = new RecordedAgent();
    for (let second = 0; second < (index === 0 ? 10 : 5); second++) {
      const interval = agent.interval({ read: { latenciesNs: [5] } });
      records.push(at(2, { type: 'interval', agent: index, interval }));
    }
    if (index === 0) {
      records.push(at(3, { type: 'stageResult', agent: 0, result: agent.result('duration', 10) }));
    }
  }
  records.push(at(3, to(1, 'RUNNING', 'FAILED', 'stream lost')));
  const summary = summaryOf(records);
  assert.deepEqual(summary.coverage, {
    agents_planned: 2,
    agents_completed: 1,
    host_seconds_ratio: 0.75,
  });
  assert.equal(summary.stages[0]?.agents['agent-2']?.state, 'FAILED');
  assert.deepEqual(summary.warnings, [
    'stage stage-0: agent agent-2 at 127.0.0.1:7762 did not complete it (FAILED: stream lost)',
  ]);
});

test('[RES-05] a stage that never started counts as planned and not reported', () => {
  const plan = planOf(1, [stagePlan(0, { durationMs: 1000 }), stagePlan(1, { durationMs: 3000 })]);
  const agent = new RecordedAgent();
  const interval = agent.interval({ read: { latenciesNs: [5] } });
  const summary = summaryOf([
    at(0, runRecord(plan)),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0] }),
    at(2, { type: 'interval', agent: 0, interval }),
    at(3, { type: 'stageResult', agent: 0, result: agent.result('duration', 1) }),
  ]);
  assert.equal(summary.coverage.agents_completed, 0);
  assert.equal(summary.coverage.host_seconds_ratio, 0.25);
  assert.equal(summary.stages[1]?.agents_started, 0);
  assert.equal(summary.stages[1].agents['agent-1']?.state, 'NOT_STARTED');
  assert.ok(summary.warnings.includes('stage stage-1 did not start'));
});

test('the states of lost agents are told apart', () => {
  const lost = (...records: readonly RunRecord[]): string | undefined => {
    const summary = summaryOf([
      at(0, runRecord(planOf(1, [stagePlan(0)]))),
      at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0] }),
      ...records.map((record) => at(2, record)),
    ]);
    return summary.stages[0]?.agents['agent-1']?.state;
  };
  const link = (state: 'HUNG' | 'DISCONNECTED' | 'CLOSED'): RunRecord => ({
    type: 'link',
    agent: 0,
    to: state,
    generation: 1,
    reason: 'why',
  });
  assert.equal(lost(), 'RUNNING');
  assert.equal(lost(link('HUNG')), 'HUNG');
  assert.equal(lost(link('HUNG'), link('CLOSED')), 'HUNG');
  assert.equal(lost(link('CLOSED')), 'LOST');
  assert.equal(lost(link('DISCONNECTED')), 'LOST');
  assert.equal(lost(to(0, 'RUNNING', 'ABORTED')), 'ABORTED');
  assert.equal(lost(link('HUNG'), to(0, 'RUNNING', 'FAILED')), 'FAILED');
  assert.equal(lost({ type: 'stageEnd', stage: 0 }), 'LOST');
});

const onOneHost = (record: JournalRecord): JournalRecord =>
  record.type === 'agent' && record.agent > 0
    ? { ...record, facts: { ...record.facts, bootId: 'same' } }
    : record;

test('agents on one host are named', () => {
  const summary = changed(onOneHost);
  assert.deepEqual(summary.measurement.same_host, [['agent-2', 'agent-3']]);
  assert.deepEqual(summary.warnings, [
    someFailed,
    'agents agent-2 and agent-3 run on the same host',
  ]);
});

test('[MEAS-06] where no load was made it is no matter that agents share a host', () => {
  for (const mode of ['prepare', 'cleanup'] as const) {
    const summary = changed((record) =>
      record.type === 'run' ? { ...record, mode } : onOneHost(record),
    );
    assert.deepEqual(summary.measurement.same_host, [['agent-2', 'agent-3']]);
    assert.deepEqual(summary.warnings, [], mode);
  }
  const begun = /^(stage|started|interval)/;
  const notStarted = changed((record) => (begun.test(record.type) ? undefined : onOneHost(record)));
  assert.deepEqual(notStarted.warnings, []);
});

test('[MEAS-06] generator-bound: the CPU was the limit in most intervals', () => {
  const busy = (seconds: number): Summary =>
    changed((record) =>
      record.type === 'interval' && record.agent === 1 && record.interval.first < seconds
        ? { ...record, interval: { ...record.interval, hostCpu: 0.97 } }
        : record,
    );
  assert.deepEqual(busy(2).measurement.generator_bound, []);
  const [bound] = busy(5).measurement.generator_bound;
  assert.deepEqual(bound, {
    stage: 'mixed',
    agent: 'agent-2',
    host_cpu: 0.97,
    runner_cpu: 0.5,
    bottleneck: 'host CPU',
  });
  assert.deepEqual(busy(5).warnings, [
    someFailed,
    'stage mixed: generator-bound on 1 of 3 agents (CPU 97 %): agent-2',
  ]);
});

test('[MEAS-06] generator-bound: with Node’s rings some of the CPU is that of the threads that poll them', () => {
  const warned = (mechanism: string): string | undefined =>
    changed((record) => {
      if (record.type === 'interval') {
        return { ...record, interval: { ...record.interval, hostCpu: 0.97 } };
      }
      if (record.type !== 'stageResult') return record;
      return { ...record, result: { ...record.result, mechanism } };
    }).warnings.find((line) => line.includes('generator-bound'));
  const polling = /\(CPU 97 %, some of it of the kernel threads that poll the rings of iodepth/;
  assert.match(warned('io_uring iodepth 16') ?? '', polling);
  for (const other of ['psync', 'fio-3.33 io_uring iodepth 16', 'thread pool (32) iodepth 32']) {
    assert.match(warned(other) ?? '', /\(CPU 97 %\)/, other);
  }
});

test('[MEAS-06] a workload process that was stopped, or got no CPU, is named: what took so long was not the storage', () => {
  const stopped = (delayNs: number): Summary =>
    changed((record) =>
      record.type === 'interval' && record.agent === 1 && record.interval.first === 2
        ? { ...record, interval: { ...record.interval, runnerLoopDelayNs: delayNs } }
        : record,
    );
  const { stages, warnings } = stopped(3.002e9);
  assert.equal(stages[0]?.agents['agent-2']?.standstill_ms, 3002);
  assert.equal(stages[0].agents['agent-1']?.standstill_ms, 0);
  assert.deepEqual(warnings, [
    someFailed,
    'stage mixed: the workload process stood still for up to 3002 ms on 1 of 3 agents (stopped, or no CPU for it?), which may be in the latencies: agent-2',
  ]);
  assert.deepEqual(stopped(0.9e9).warnings, [someFailed], 'a busy host');
});

test('intervals that never came are counted, and their operations are in the totals', () => {
  const whole = summaryOf(sampleRun());
  const summary = changed((record) =>
    record.type === 'interval' && record.agent === 0 && record.interval.first === 2
      ? undefined
      : record,
  );
  assert.equal(summary.measurement.missing_intervals, 1);
  assert.equal(summary.stages[0]?.agents['agent-1']?.missing_seconds, 1);
  assert.deepEqual(
    summary.stages[0].operations['read']?.service_ns,
    whole.stages[0]?.operations['read']?.service_ns,
  );
  assert.deepEqual(summary.warnings, [
    someFailed,
    '1 agent-second missing from the time line (in the totals)',
  ]);
});

test('[RUN-17] an interval folded in an overflow is in the totals, has no place in the time line, and is counted', () => {
  const whole = summaryOf(sampleRun());
  const lost = (record: JournalRecord): boolean =>
    record.type === 'stageResult' && record.agent === 0;
  const summary = changed((record) => {
    if (lost(record)) return undefined;
    return record.type === 'interval' && record.agent === 0 && record.interval.first === 2
      ? { ...record, folded: true as const }
      : record;
  });
  assert.equal(summary.measurement.dropped_live, 1);
  assert.equal(summary.measurement.missing_intervals, 0);
  const read = summary.stages[0]?.operations['read'];
  assert.equal(read?.count, whole.stages[0]?.operations['read']?.count);
  assert.deepEqual(read?.service_ns, whole.stages[0]?.operations['read']?.service_ns);
  assert.equal(summary.stages[0]?.rate_seconds, 4);
});

test('[RUN-25] a controller that was late itself says so', () => {
  const summary = changed((record) =>
    record.type === 'heartbeat' ? { ...record, lateMs: 812.4 } : record,
  );
  assert.equal(summary.measurement.controller_late_ms, 812);
  assert.ok(summary.warnings.includes("the controller's own loop was late by up to 812 ms"));
});

test('[RUN-19] the warnings of a run that too few agents lived through begin with what its numbers are worth', () => {
  const summary = changed((record) =>
    record.type === 'end' ? { ...record, notRepresentative: true } : record,
  );
  assert.equal(summary.representative, false);
  assert.match(summary.warnings[0] ?? '', /^not representative: too few agents lived to the end/);
});

test('a run without an end was interrupted, and its numbers stand', () => {
  const summary = summaryOf(sampleRun({ end: false }));
  assert.equal(summary.outcome, 'interrupted');
  assert.equal(summary.exit_code, 130);
  assert.equal(summary.stages[0]?.operations['read']?.count, 475);
});

function expectation(change: Partial<Expectation>): Expectation {
  return {
    text: 'as written',
    stage: 'mixed',
    operation: 'read',
    metric: 'service.p99',
    comparison: '<',
    value: 5_000_000,
    ...change,
  };
}

test('[CLI-02] a threshold that fails turns exit code 0 into 1, and is named with what was measured', () => {
  const expect = [
    expectation({}),
    expectation({ metric: 'service.p99', value: 1000 }),
    expectation({ operation: undefined, metric: 'errors', comparison: '==', value: 3 }),
    expectation({ metric: 'per_second', comparison: '>=', value: 95 }),
    expectation({ metric: 'response.max', value: 1 }),
  ];
  const summary = summaryOf(sampleRun({ plan: { expect } }));
  assert.deepEqual(
    summary.expectations.map(({ passed }) => passed),
    [true, false, true, true, false],
  );
  assert.equal(summary.expectations[2]?.measured, 3);
  assert.equal(summary.exit_code, 1);
  assert.equal(summary.outcome, 'completed');
  assert.equal(summaryOf(sampleRun({ plan: { expect: expect.slice(0, 1) } })).exit_code, 0);
});

test('[CLI-02] what was not measured meets no threshold, and a graver exit code stays', () => {
  const expect = [expectation({ operation: 'stat', comparison: '>=', metric: 'count', value: 0 })];
  const records = sampleRun({ plan: { expect } }).map((record) =>
    record.type === 'end'
      ? { ...record, exitCode: 4 as const, outcome: 'partial' as const }
      : record,
  );
  const summary = summaryOf(records);
  assert.deepEqual(summary.expectations, [{ text: 'as written', measured: null, passed: false }]);
  assert.equal(summary.exit_code, 4);
});

test('prepare and cleanup have no stages and no thresholds', () => {
  const plan = planOf(1, [stagePlan(0)], { expect: [expectation({})] });
  const summary = summaryOf([
    at(0, runRecord(plan, 'prepare')),
    at(1, to(0, 'RUNNING', 'COMPLETED')),
  ]);
  assert.deepEqual(summary.stages, []);
  assert.deepEqual(summary.expectations, []);
  assert.deepEqual(summary.coverage, {
    agents_planned: 1,
    agents_completed: 1,
    host_seconds_ratio: 1,
  });
});

test('[RES-05] operations that failed are warned about; a kind of which all did makes the exit code 1', () => {
  const filled = (succeeded: number, expect: readonly Expectation[] = []): Summary => {
    const stage = stagePlan(0, { name: 'fill', mix: [{ operation: 'put', weight: 1 }] });
    const agent = new RecordedAgent();
    const latenciesNs = Array.from({ length: succeeded }, () => 5000);
    const put = { latenciesNs, errors: { ENOSPC: 43_707 } };
    return summaryOf([
      at(0, runRecord(planOf(1, [stage], { expect }))),
      at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0] }),
      at(2, { type: 'interval', agent: 0, interval: agent.interval({ put }) }),
      at(3, { type: 'stageResult', agent: 0, result: agent.result('duration', 1) }),
      at(4, completed),
    ]);
  };
  const threshold = (text: string): Expectation => {
    const parsed = parseExpectation(text);
    assert.ok(!('problem' in parsed));
    return parsed;
  };
  assert.deepEqual(filled(0).warnings, ['stage fill: 43 707 of 43 707 put failed (ENOSPC 43 707)']);
  assert.equal(filled(0).exit_code, 1);
  assert.deepEqual(filled(1).warnings, ['stage fill: 43 707 of 43 708 put failed (ENOSPC 43 707)']);
  assert.equal(filled(1).exit_code, 0);
  const { service_ns, failed_ns } = filled(1).stages[0]?.operations['put'] ?? {};
  assert.equal(service_ns?.max, 5003, 'latencies of failed ones are no latencies of the storage');
  assert.ok(failed_ns && failed_ns.p50 >= 1e6);
  assert.equal(filled(0, [threshold('fill.errors >= 1')]).exit_code, 0);
  assert.equal(filled(0, [threshold('fill.put.errors >= 1')]).exit_code, 0);
  assert.equal(filled(0, [threshold('fill.put.per_second < 5')]).exit_code, 1);
});

test('[RES-05] a threshold on a stage that did not start is not met, whatever it wants', () => {
  const threshold = (text: string): Expectation => {
    const parsed = parseExpectation(text);
    assert.ok(!('problem' in parsed));
    return parsed;
  };
  const expect = ['later.errors == 0', 'later.read.errors == 0', 'later.read.count < 5'];
  const stages = [stagePlan(0), stagePlan(1, { name: 'later' })];
  const { expectations } = summaryOf([
    at(0, runRecord(planOf(1, stages, { expect: expect.map(threshold) }))),
    at(4, completed),
  ]);
  assert.deepEqual(
    expectations.map(({ measured, passed }) => [measured, passed]),
    expect.map(() => [null, false]),
  );
});

test('[CLI-01] why an agent did not complete its stage is said once, also when its result says so again', () => {
  const why = 'taken over by run beef of ann@ctl2 (--steal)';
  const own = 'it is warm here';
  const records = sampleRun().flatMap((record): JournalRecord[] => {
    if (record.type !== 'stageResult' || record.agent !== 1) return [record];
    const result = { ...record.result, endedBy: 'killed' as const, warnings: [why, own] };
    const reason = `Agent agent-2 failed: ${why}`;
    const lost = { type: 'transition', agent: 1, from: 'RUNNING', to: 'FAILED', reason } as const;
    return [at(record.atMs, lost), { ...record, result }];
  });
  const { warnings } = summaryOf(records);
  assert.deepEqual(
    warnings.filter((warning) => warning.includes(why)),
    [`stage mixed: agent agent-2 at 127.0.0.1:7762 did not complete it (FAILED: ${why})`],
  );
  assert.ok(warnings.includes(`agent agent-2: ${own}`));
});

test('[STAT-02] what an agent says in its log for the results and again in its result is one warning', () => {
  const line = 'No spool is written';
  const records = sampleRun().flatMap((record): JournalRecord[] => {
    if (record.type !== 'stageResult' || record.agent !== 1) return [record];
    const before = at(record.atMs, { type: 'warning', line: `agent agent-2: ${line}` });
    return [before, { ...record, result: { ...record.result, warnings: [line] } }];
  });
  const { warnings } = summaryOf(records);
  assert.deepEqual(
    warnings.filter((warning) => warning.includes(line)),
    [`agent agent-2: ${line}`],
  );
});
