import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import type { JournalRecord } from '../../../../src/controller/core/records.js';
import type { Interval } from '../../../../src/shared/model/messages.js';
import { Histogram } from '../../../../src/shared/metrics/histogram.js';
import { intervalsCsv } from '../../../../src/controller/shell/intervals-csv.js';
import {
  at,
  completed,
  planOf,
  RecordedAgent,
  runRecord,
  sampleRun,
  seeded,
  stagePlan,
  to,
} from '../../../support/recorded-run.js';

function aggregateOf(records: readonly JournalRecord[]): Aggregate {
  const aggregate = new Aggregate();
  for (const record of records) aggregate.accept(record);
  return aggregate;
}

/** Per second, the latencies of each agent; an agent may be lost after some seconds, and some intervals never arrive. */
const histories = fc.record({
  agents: fc.array(
    fc.record({
      seconds: fc.array(
        fc.record({
          latencies: fc.array(fc.integer({ min: 1, max: 5_000_000_000 }), { maxLength: 20 }),
          errors: fc.integer({ min: 0, max: 3 }),
          lost: fc.boolean(),
          twice: fc.boolean(),
          late: fc.boolean(),
          merged: fc.integer({ min: 1, max: 3 }),
        }),
        { minLength: 1, maxLength: 8 },
      ),
      finishes: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

type History = typeof histories extends fc.Arbitrary<infer T> ? T : never;

/** The records of a history, and what each agent really did as far as the controller can know it. */
function play(history: History): {
  records: JournalRecord[];
  truth: Histogram[];
  errors: number[];
} {
  const plan = planOf(history.agents.length, [stagePlan(0)]);
  const records: JournalRecord[] = [at(0, runRecord(plan))];
  const all = plan.agents.map(({ index }) => index);
  records.push(at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: all }));
  const truth: Histogram[] = [];
  const errors: number[] = [];
  for (const [index, { seconds, finishes }] of history.agents.entries()) {
    const agent = new RecordedAgent();
    const late: JournalRecord[] = [];
    let known = 0;
    let knownErrors = 0;
    const knownLatencies: number[] = [];
    for (const one of seconds) {
      const work = { latenciesNs: one.latencies, errors: { EIO: one.errors } };
      const interval = agent.interval({ read: work }, { seconds: one.merged });
      const record = at(2, { type: 'interval', agent: index, interval });
      // A finished agent's result covers what was lost; a lost one's numbers end with its last interval.
      if (one.lost && finishes) continue;
      known += 1;
      knownErrors += one.errors;
      knownLatencies.push(...one.latencies);
      (one.late && finishes ? late : records).push(record);
      if (one.twice) records.push(...(one.late && finishes ? [] : [record]));
    }
    records.push(...late);
    if (finishes) {
      records.push(
        at(3, { type: 'stageResult', agent: index, result: agent.result('duration', 8) }),
      );
      records.push(at(3, to(index, 'RUNNING', 'COMPLETED')));
      // A back-fill may come after the result, which has it already.
      records.push(...late);
      truth.push(agent.truth('read'));
      errors.push(seconds.reduce((sum, one) => sum + one.errors, 0));
    } else {
      records.push(at(3, to(index, 'RUNNING', 'FAILED', 'lost')));
      const pooled = new Histogram();
      for (const ns of knownLatencies) pooled.record(ns);
      truth.push(pooled);
      errors.push(known === 0 ? 0 : knownErrors);
    }
  }
  records.push(at(4, { type: 'stageEnd', stage: 0 }), at(5, completed));
  return { records, truth, errors };
}

test('[RES-02] totals are the sum over the agents, whatever got lost, came late or came twice', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const { records, truth, errors } = play(history);
      const stage = aggregateOf(records).summary().stages[0];
      const total = stage?.operations['read'];
      const counts = truth.map((histogram) => histogram.count);
      assert.equal(
        total?.count,
        counts.reduce((sum, count) => sum + count, 0),
      );
      assert.equal(total.bytes, total.count * 4096);
      assert.equal(
        total.errors,
        errors.reduce((sum, count) => sum + count, 0),
      );
      for (const [index, agent] of Object.values(stage?.agents ?? {}).entries()) {
        assert.equal(agent.operations['read']?.count ?? 0, counts[index]);
        assert.equal(agent.operations['read']?.errors ?? 0, errors[index]);
      }
    }),
  );
});

test('[MEAS-01] percentiles of all agents are those of the pooled latencies', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const { records, truth } = play(history);
      const pooled = new Histogram();
      for (const histogram of truth) pooled.merge(histogram);
      const read = aggregateOf(records).summary().stages[0]?.operations['read'];
      if (pooled.count === 0) {
        assert.equal(read?.service_ns ?? null, null);
        return;
      }
      assert.equal(read?.service_ns?.p50, pooled.percentile(50));
      assert.equal(read.service_ns.p99, pooled.percentile(99));
      assert.equal(read.service_ns.p99_9, pooled.percentile(99.9));
      assert.equal(read.service_ns.max, pooled.max);
    }),
  );
});

test('[MEAS-01] a slow agent with few operations does not drag the percentiles of the fast one', () => {
  const plan = planOf(2, [stagePlan(0)]);
  const fast = new RecordedAgent();
  const slow = new RecordedAgent();
  const records = [
    at(0, runRecord(plan)),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0, 1] }),
  ];
  const latenciesNs = Array.from({ length: 9990 }, () => 100_000);
  const slowNs = Array.from({ length: 10 }, () => 1_000_000_000);
  const intervals = [
    fast.interval({ read: { latenciesNs } }),
    slow.interval({ read: { latenciesNs: slowNs } }),
  ];
  for (const [agent, interval] of intervals.entries()) {
    records.push(at(2, { type: 'interval', agent, interval }));
  }
  const service = aggregateOf(records).summary().stages[0]?.operations['read']?.service_ns;
  // The average of the two agents' p99 would be half a second.
  assert.ok((service?.p99 ?? 0) < 101_000);
  assert.ok((service?.max ?? 0) >= 1_000_000_000);
});

test('[RES-02] rows of intervals.csv add up to summary.json, over the agents and over *', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const aggregate = aggregateOf(play(history).records);
      const total = aggregate.summary().stages[0]?.operations['read'];
      const sums = new Map([
        ['agents', [0, 0, 0]],
        ['*', [0, 0, 0]],
      ]);
      let next = new Map<string, number>();
      for (const line of [...intervalsCsv(aggregate)].join('').trim().split('\n').slice(1)) {
        const cells = line.split(',');
        const [, second = '', seconds = '', agent = ''] = cells;
        const sum = sums.get(agent === '*' ? '*' : 'agents') ?? [];
        for (const column of [0, 1, 2])
          sum[column] = (sum[column] ?? 0) + Number(cells[5 + column]);
        // No second is in two rows of an agent, and none is left out.
        assert.equal(Number(second), next.get(agent) ?? 0);
        next = next.set(agent, Number(second) + Number(seconds));
        for (const cell of cells.slice(5, 8)) assert.ok(Number(cell) >= 0, line);
      }
      const expected = [total?.count ?? 0, total?.bytes ?? 0, total?.errors ?? 0];
      assert.deepEqual(sums.get('agents'), expected);
      assert.deepEqual(sums.get('*'), expected);
    }),
  );
});

test('[RES-02] seconds in which nothing was done and whose samples are missing are rows, too', () => {
  const agent = new RecordedAgent();
  const records = [
    at(0, runRecord(planOf(1, [stagePlan(0)]))),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0] }),
  ];
  const first = agent.interval({ read: { latenciesNs: [5] } });
  records.push(at(2, { type: 'interval', agent: 0, interval: first }));
  agent.interval({ read: { latenciesNs: [] } });
  agent.interval({ read: { latenciesNs: [] } });
  records.push(at(3, { type: 'stageResult', agent: 0, result: agent.result('duration', 3) }));
  const lines = [...intervalsCsv(aggregateOf(records))].join('').split('\n');
  assert.equal(lines[2], 'stage-0,1,2,agent-1,read,0,0,0,,,,,,,0,0,missing,0,,,,,,');
});

test('[RES-02] seconds that one agent merged are one row for all, with the percentiles of all', () => {
  const records = [
    at(0, runRecord(planOf(2, [stagePlan(0)]))),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0, 1] }),
  ];
  const add = (agent: number, interval: Interval): void => {
    records.push(at(2, { type: 'interval', agent, interval }));
  };
  const slow = new RecordedAgent();
  add(0, slow.interval({ read: { latenciesNs: [100] } }));
  add(0, slow.interval({ read: { latenciesNs: [200, 300] } }, { seconds: 2 }));
  add(0, slow.interval({ read: { latenciesNs: [2000] } }));
  const fast = new RecordedAgent();
  for (const ns of [10, 20, 30, 40]) add(1, fast.interval({ read: { latenciesNs: [ns] } }));
  const lines = [...intervalsCsv(aggregateOf(records))].join('').trim().split('\n');
  const total = lines.filter((line) => line.includes(',*,')).map((line) => line.split(','));
  assert.deepEqual(
    total.map((cells) => [cells[1], cells[2], cells[5], cells[9], cells[13], cells[16]]),
    [
      ['0', '1', '2', '10', '100', ''],
      ['1', '2', '4', '30', '300', 'merged'],
      ['3', '1', '2', '40', '2000', ''],
    ],
  );
});

test('a stage that did no operation has no latency, not one of zero', () => {
  const plan = planOf(1, [stagePlan(0)]);
  const agent = new RecordedAgent();
  const interval = agent.interval({ read: { latenciesNs: [] } });
  const stage = aggregateOf([
    at(0, runRecord(plan)),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0] }),
    at(2, { type: 'interval', agent: 0, interval }),
  ]).summary().stages[0];
  assert.equal(stage?.operations['read']?.count, 0);
  assert.equal(stage.operations['read'].service_ns, null);
  assert.equal(stage.operations['read'].per_second, 0);
});

test('an unreadable histogram costs its message and is said, not the run', () => {
  const records = [...sampleRun({ agents: 1, seconds: 3 })];
  const broken = new RecordedAgent().interval(
    { read: { latenciesNs: [5] } },
    { first: 9, last: 9 },
  );
  const operations = broken.operations.map((one) => ({ ...one, service: new Uint8Array([9, 9]) }));
  const before = aggregateOf(records).summary();
  records.splice(-3, 0, at(1, { type: 'interval', agent: 0, interval: { ...broken, operations } }));
  const after = aggregateOf(records).summary();
  assert.deepEqual(after.stages, before.stages);
  assert.match(after.warnings.join(), /agent agent-1: interval 9 left out: invalid histogram/);
});

test('an agent has no live rate before its first second, nor after its last', () => {
  const aggregate = new Aggregate();
  const seen: (readonly [string, (number | undefined)[]])[] = [];
  for (const record of sampleRun({ agents: 2, seconds: 2, perSecond: 100 })) {
    aggregate.accept(record);
    const of = aggregate.live().agents.map(({ latest }) => latest?.operationsPerSecond);
    if (/^(started|interval|stageResult)$/u.test(record.type)) seen.push([record.type, of]);
  }
  assert.deepEqual(seen.slice(1, 4), [
    ['started', [undefined, undefined]],
    ['interval', [100, undefined]],
    ['interval', [100, 90]],
  ]);
  assert.deepEqual(seen.slice(-2), [
    ['stageResult', [undefined, 90]],
    ['stageResult', [undefined, undefined]],
  ]);
});

test('what ends after the load is no live rate: that of the last whole second stays', () => {
  const aggregate = new Aggregate();
  const agent = new RecordedAgent();
  const seen: (number | undefined)[][] = [];
  for (const record of sampleRun({ agents: 1, seconds: 3 })) {
    if (record.type === 'run') {
      const stages = record.plan.stages.map((stage) => ({ ...stage, durationMs: 2900 }));
      aggregate.accept({ ...record, plan: { ...record.plan, stages } });
    } else if (record.type !== 'interval' && record.type !== 'stageResult') {
      aggregate.accept(record);
    }
    if (record.type !== 'interval') continue;
    const latenciesNs = [50_000, 50_000, 50_000].slice(record.interval.first);
    aggregate.accept({ ...record, interval: agent.interval({ read: { latenciesNs } }) });
    const { second, operationsPerSecond, agents } = aggregate.live();
    seen.push([second, operationsPerSecond, agents[0]?.latest?.operationsPerSecond]);
  }
  assert.deepEqual(seen, [
    [0, 3, 3],
    [1, 2, 2],
    [1, 2, 2],
  ]);
});

test('live numbers are of the newest second that all agents at work have reported', () => {
  const records = sampleRun({ agents: 2, seconds: 5, perSecond: 100 });
  const aggregate = new Aggregate();
  const seen: (number | undefined)[] = [];
  for (const record of records) {
    aggregate.accept(record);
    if (record.type === 'interval') {
      const live = aggregate.live();
      seen.push(live.second);
      if (record.agent === 1) assert.equal(live.operationsPerSecond, 190);
    }
  }
  assert.deepEqual(seen, [undefined, 0, 0, 1, 1, 2, 2, 3, 3, 4]);
  assert.equal(aggregate.live().errors, 2);
});

test('[MEAS-01] percentiles of very unequal agents are those of the pooled raw data', () => {
  const random = seeded(11);
  const raw: number[] = [];
  const plan = planOf(2, [stagePlan(0)]);
  const records: JournalRecord[] = [at(0, runRecord(plan))];
  records.push(at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0, 1] }));
  // The second agent is a hundred times slower and does 2 % of the operations.
  for (const [index, share, slower] of [
    [0, 0.98, 1],
    [1, 0.02, 100],
  ] as const) {
    const agent = new RecordedAgent();
    for (let second = 0; second < 5; second++) {
      const latenciesNs = Array.from({ length: 4000 * share }, () =>
        Math.round(80_000 * slower * Math.exp(random())),
      );
      raw.push(...latenciesNs);
      const interval = agent.interval({ read: { latenciesNs } });
      records.push(at(1000 * second, { type: 'interval', agent: index, interval }));
    }
    const result = agent.result('duration', 5);
    records.push(at(6000, { type: 'stageResult', agent: index, result }));
  }
  const read = aggregateOf(records).summary().stages[0]?.operations['read'];
  assert.ok(read?.service_ns);
  raw.sort((a, b) => a - b);
  for (const [name, percent] of [
    ['p50', 50],
    ['p90', 90],
    ['p99', 99],
    ['p99_9', 99.9],
    ['max', 100],
  ] as const) {
    const exact = raw[Math.ceil((percent * 10 * raw.length) / 1000) - 1] ?? 0;
    const one = new Histogram();
    one.record(exact);
    // The highest value of the bucket in which the exact one lies.
    assert.equal(read.service_ns[name], one.max, name);
  }
  assert.ok(read.service_ns.p90 < 300_000 && read.service_ns.p99 > 8_000_000);
});

test('[RUN-09] why an agent did not complete its stage is not overwritten by what its link does afterwards', () => {
  const records = sampleRun({ end: false }).filter(
    (record) => record.type !== 'stageResult' && record.type !== 'stageEnd',
  );
  const link = { type: 'link', agent: 0, to: 'DISCONNECTED', generation: 1 } as const;
  const aborted = to(0, 'RUNNING', 'ABORTED', 'interrupted by Ctrl-C');
  const { warnings } = aggregateOf([
    ...records.filter((one) => one.type !== 'transition' || one.to !== 'COMPLETED'),
    at(9000, aborted),
    at(9001, { ...link, reason: 'the agent ended the stream' }),
  ]).summary();
  const line =
    'agent agent-1 at 127.0.0.1:7761 did not complete it (ABORTED: interrupted by Ctrl-C)';
  assert.ok(
    warnings.some((warning) => warning.endsWith(line)),
    warnings.join('\n'),
  );
});
