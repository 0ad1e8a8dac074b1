import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import type { JournalRecord } from '../../../../src/controller/core/records.js';
import type { StageSummary } from '../../../../src/controller/core/summary.js';
import type { EndedBy, StageResult } from '../../../../src/shared/model/messages.js';
import type { StagePlan } from '../../../../src/shared/model/plan.js';
import {
  at,
  planOf,
  RecordedAgent,
  runRecord,
  stagePlan,
  to,
} from '../../../support/recorded-run.js';
import { statsOf } from '../../../support/sample-messages.js';

interface Work {
  /** What it does; read when left out. */
  readonly operation?: 'read' | 'write';
  /** Operations in each second; several numbers in an array are reported as one interval. null: never arrived. */
  readonly seconds: readonly (number | readonly number[] | null)[];
  readonly ended?: {
    readonly by: EndedBy;
    readonly doneS: number;
    readonly change?: Partial<StageResult>;
  };
}

function stageOf(work: readonly Work[], change: Partial<StagePlan> = {}): StageSummary {
  const plan = planOf(work.length, [stagePlan(0, { durationMs: undefined, ...change })]);
  const agents = plan.agents.map(({ index }) => index);
  const records: JournalRecord[] = [
    at(0, runRecord(plan)),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents }),
  ];
  for (const [index, { operation = 'read', seconds, ended }] of work.entries()) {
    const agent = new RecordedAgent();
    for (const second of seconds) {
      const parts = typeof second === 'object' && second !== null ? second : [second ?? 50];
      const count = parts.reduce((sum, one) => sum + one, 0);
      const latenciesNs = Array.from({ length: count }, () => 1000);
      const interval = agent.interval({ [operation]: { latenciesNs } }, { seconds: parts.length });
      if (second !== null) records.push(at(2, { type: 'interval', agent: index, interval }));
    }
    if (ended) {
      const result = agent.result(ended.by, ended.doneS, ended.change);
      records.push(at(3, { type: 'stageResult', agent: index, result }));
    } else {
      records.push(at(3, to(index, 'RUNNING', 'FAILED', 'lost')));
    }
  }
  const aggregate = new Aggregate();
  for (const record of records) aggregate.accept(record);
  const [stage] = aggregate.summary().stages;
  assert.ok(stage);
  return stage;
}

const by = (how: EndedBy, doneS: number) => ({ by: how, doneS });

for (const cut of ['aborted', 'error'] as const) {
  test(`[MEAS-03] the second in which an agent was stopped is no whole one: ${cut}`, () => {
    const stage = stageOf([
      { seconds: [100, 100, 100, 100, 54], ended: by(cut, 4.5) },
      { seconds: [10, 10, 10, 10, 5], ended: by(cut, 4.5) },
    ]);
    assert.equal(stage.rate_seconds, 4);
    assert.equal(stage.operations['read']?.per_second, 110);
  });
}

test('[MEAS-03] seconds in which the storage hung until the drain was over are in the rate', () => {
  const seconds = [100, 100, 100, 0, 0, 0, 0, 0];
  const over = (change: Partial<StageResult>) =>
    stageOf([{ seconds, ended: { by: 'drained', doneS: 3, change } }], { durationMs: 6000 });
  // The second one's workload process had to be killed and did not say when it issued nothing more.
  for (const stage of [over({ endedNs: 11_000_000_000n }), over({ endedNs: 0n })]) {
    assert.equal(stage.last_done_s, 6);
    assert.equal(stage.rate_seconds, 6);
    assert.equal(stage.operations['read']?.per_second, 50);
  }
});

test('[MEAS-03] an agent that was stopped, and whose last second never arrived, has whole ones only', () => {
  const stage = stageOf([{ seconds: [100, 100, 100, 100, null], ended: by('aborted', 4.5) }]);
  assert.equal(stage.rate_seconds, 4);
});

test('[MEAS-03] the headline rate is over the whole seconds before first done', () => {
  const stage = stageOf([
    { seconds: [100, 100, 100, 100, 100, 30], ended: by('operations', 5.3) },
    { seconds: [10, 10, 10, 10, 10, 10, 10, 5], ended: by('operations', 7.5) },
  ]);
  assert.equal(stage.rate_seconds, 5);
  assert.equal(stage.operations['read']?.per_second, 110);
  assert.equal(stage.operations['read'].bytes_per_second, 110 * 4096);
  // 605 operations in 7.5 s: the tail of one agent pulls this one down.
  assert.equal(stage.operations['read'].total_per_second, 80.667);
  assert.equal(stage.agents['agent-1']?.operations['read']?.per_second, 100);
  assert.equal(stage.agents['agent-2']?.operations['read']?.per_second, 10);
});

test('[MEAS-05] first done, last done and the straggler are named', () => {
  const stage = stageOf([
    { seconds: [1, 1, 1], ended: by('operations', 2.5) },
    { seconds: [1, 1, 1, 1], ended: by('operations', 3.25) },
    { seconds: [1, 1, 1], ended: by('operations', 2.75) },
  ]);
  assert.equal(stage.first_done_s, 2.5);
  assert.equal(stage.last_done_s, 3.25);
  assert.equal(stage.straggler, 'agent-2');
});

test('[MEAS-03] with fewer than three common seconds the rate is total over last done', () => {
  const stage = stageOf([
    { seconds: [100, 100, 50], ended: by('operations', 2.5) },
    { seconds: [10, 10, 5], ended: by('operations', 2.0) },
  ]);
  assert.equal(stage.rate_seconds, 0);
  assert.equal(stage.operations['read']?.per_second, 110);
  assert.equal(stage.operations['read'].per_second, stage.operations['read'].total_per_second);
});

test('[MEAS-03] a stage by duration is not cut short by an idle end of an agent', () => {
  const stage = stageOf(
    [
      { seconds: [10, 10, 10, 10], ended: by('duration', 3.91) },
      { seconds: [10, 10, 10, 10], ended: by('duration', 4.002) },
    ],
    { durationMs: 4000 },
  );
  assert.equal(stage.rate_seconds, 4);
  assert.equal(stage.first_done_s, 4);
});

test('[MEAS-03] of a short stage by duration, too, the idle end is part of the time', () => {
  const ended = by('duration', 1.6);
  const stage = stageOf([{ seconds: [10, 6], ended }], { durationMs: 2000 });
  assert.equal(stage.rate_seconds, 0);
  assert.equal(stage.operations['read']?.per_second, 8);
});

test('[MEAS-03] a lost agent ends the headline seconds; the survivors have their own rate', () => {
  const stage = stageOf(
    [
      { seconds: [100, 100, 100, 100] },
      { seconds: [10, 10, 10, 10, 40, 40, 40, 40], ended: by('duration', 8) },
    ],
    { durationMs: 8000 },
  );
  assert.equal(stage.rate_seconds, 4);
  assert.equal(stage.operations['read']?.per_second, 110);
  assert.equal(stage.operations['read'].survivors_per_second, 25);
  assert.equal(stage.agents_started, 2);
  assert.equal(stage.agents_completed, 1);
  // Shares are of all that was done, also by who was lost.
  const shares = Object.values(stage.agents).map(({ share }) => share);
  assert.deepEqual(shares, [0.666667, 0.333333]);
});

test('[MEAS-03] the rate over all of the time is until the last operation of anyone, finished or not', () => {
  const stage = stageOf([
    { seconds: [100, 100], ended: by('operations', 2) },
    { seconds: [10, 10, 5], ended: by('aborted', 2.5) },
  ]);
  assert.equal(stage.last_done_s, 2);
  assert.equal(stage.rate_seconds, 0);
  assert.equal(stage.operations['read']?.per_second, 90);
  assert.equal(stage.operations['read'].total_per_second, 90);
});

test('[MEAS-03] what a workload process had sampled before it was killed are whole seconds', () => {
  const stage = stageOf([{ seconds: [100, 100, 100, 40], ended: by('killed', 4) }]);
  assert.equal(stage.rate_seconds, 4);
  assert.equal(stage.operations['read']?.per_second, 85);
});

test('[MEAS-03] a second that one agent did not report is left out for all', () => {
  const stage = stageOf(
    [
      { seconds: [100, null, 100, 100, 100], ended: by('duration', 5) },
      { seconds: [10, 99, 10, 10, 10], ended: by('duration', 5) },
    ],
    { durationMs: 5000 },
  );
  assert.equal(stage.rate_seconds, 4);
  assert.equal(stage.operations['read']?.per_second, 110);
  // The second that did not arrive is in the totals: the stage result has it.
  assert.equal(stage.operations['read'].count, 450 + 139);
});

test('[MEAS-03] a sample of several seconds counts whole or not at all', () => {
  const stage = stageOf([
    { seconds: [100, 100, 100, [100, 100, 100]], ended: by('operations', 5.9) },
    { seconds: [10, 10, 10, 10, 10, 1], ended: by('operations', 4.5) },
  ]);
  // First done at 4.5 s cuts the sample of seconds 3 to 5, so 3 is out for all.
  assert.equal(stage.rate_seconds, 3);
  assert.equal(stage.operations['read']?.per_second, 110);
});

test('[MEAS-03] a sample of several seconds before first done counts as all of them', () => {
  const stage = stageOf([{ seconds: [100, [100, 130], 90], ended: by('operations', 4) }]);
  assert.equal(stage.rate_seconds, 4);
  assert.equal(stage.operations['read']?.per_second, 105);
});

test('[MEAS-03] an agent that does nothing of a kind adds nothing to its rate', () => {
  const seconds = [100, 100, 100];
  const stage = stageOf([
    { seconds, ended: by('operations', 3) },
    { operation: 'write', seconds, ended: by('operations', 3) },
  ]);
  assert.equal(stage.rate_seconds, 3);
  const rates = Object.values(stage.operations).map(({ per_second: rate }) => rate);
  assert.deepEqual(rates, [100, 100]);
});

test('[MEAS-03] a sample of several seconds that is left out cuts another one, which is left out, too', () => {
  const stage = stageOf([
    { seconds: [10, 10, 10, 10, [10, 90], 10, 5], ended: by('operations', 6.5) },
    { seconds: [1, 1, 1, 1, 1, [1, 1]], ended: by('operations', 6.9) },
  ]);
  // First done at 6.5 s cuts the sample of seconds 5 and 6, and without 5 that of 4 and 5 is none.
  assert.equal(stage.rate_seconds, 4);
  assert.equal(stage.operations['read']?.per_second, 11);
});

test('[RUN-23] an agent that did nothing gives a rate of nothing, not a division by zero', () => {
  const stage = stageOf([{ seconds: [] }]);
  assert.ok(stage.operations['read']);
  assert.equal(stage.operations['read'].per_second, 0);
  assert.equal(stage.operations['read'].survivors_per_second, null);
  assert.equal(stage.first_done_s, null);
});

test('[RUN-23] an agent that was stopped before its first operation gives a rate of nothing, too', () => {
  const change = { firstOperationNs: 0n, lastOperationNs: 0n, operations: [statsOf()] };
  const stage = stageOf([{ seconds: [], ended: { ...by('aborted', 0), change } }]);
  assert.equal(stage.operations['read']?.per_second, 0);
  assert.equal(stage.operations['read'].total_per_second, 0);
  assert.equal(stage.agents['agent-1']?.share, 0);
});

test('[RUN-23] a stage of one operation has its rate from when that was done', () => {
  const stage = stageOf([{ seconds: [1], ended: by('operations', 0.004) }]);
  assert.equal(stage.operations['read']?.count, 1);
  assert.equal(stage.operations['read'].per_second, 250);
  assert.equal(stage.straggler, null, 'of one agent none is the last');
});
