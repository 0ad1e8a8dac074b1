import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import type { JournalRecord } from '../../../../src/controller/core/records.js';
import type { StageResult } from '../../../../src/shared/model/messages.js';
import { at, planOf, RecordedAgent, runRecord, stagePlan } from '../../../support/recorded-run.js';

function ratioOf(records: readonly JournalRecord[]): number | null {
  const aggregate = new Aggregate();
  for (const record of records) aggregate.accept(record);
  return aggregate.summary().coverage.host_seconds_ratio;
}

/** What part of 2 agents × 10 s is covered when the second one ended so after 2.5 s; the first one did it all. */
function cutRatio(result: Partial<StageResult>): number | null {
  const plan = planOf(2, [stagePlan(0, { durationMs: 10_000 })]);
  const records = [
    at(0, runRecord(plan)),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0, 1] }),
  ];
  const [whole, cut] = [new RecordedAgent(), new RecordedAgent()];
  for (const latency of [1, 2, 3]) {
    const interval = cut.interval({ read: { latenciesNs: [latency] } });
    records.push(at(2, { type: 'interval', agent: 1, interval }));
  }
  records.push(
    at(3, { type: 'stageResult', agent: 0, result: whole.result('duration', 10) }),
    at(3, { type: 'stageResult', agent: 1, result: cut.result('aborted', 2.5, result) }),
  );
  return ratioOf(records);
}

for (const endedBy of ['aborted', 'error'] as const) {
  test(`[RES-05] coverage: of a second that was cut counts the part until it was: ${endedBy}`, () => {
    assert.equal(cutRatio({ endedBy }), 0.625);
    // Operations that were in flight then, and the seconds in which they ended, add nothing; nor does a slow schedule take away.
    assert.equal(cutRatio({ endedBy, intervals: 5, lastOperationNs: 9_900_000_000n }), 0.625);
    assert.equal(cutRatio({ endedBy, lastOperationNs: 5_900_000_000n }), 0.625);
    assert.equal(cutRatio({ endedBy, endedNs: 4_900_000_000n }), 0.5, 'stopped in the warm-up');
    assert.equal(cutRatio({ endedBy, endedNs: 16_000_000_000n }), 1, 'stopped in the drain');
  });
}

test('[RES-05] coverage: of an agent whose workload process was killed, what it had sampled', () => {
  assert.equal(cutRatio({ endedBy: 'killed', endedNs: 0n }), 0.65);
});

test('[RES-05] coverage: of a lost agent count the seconds that arrived, not those between them', () => {
  const lost = new RecordedAgent();
  const seconds = [0, 1, 2, 3].map(() => lost.interval({ read: { latenciesNs: [5] } }));
  const arrived = seconds.filter(({ first }) => first !== 1);
  const ratio = ratioOf([
    at(0, runRecord(planOf(2, [stagePlan(0, { durationMs: 10_000 })]))),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0, 1] }),
    ...arrived.map((interval) => at(2, { type: 'interval', agent: 1, interval })),
    at(3, { type: 'stageResult', agent: 0, result: new RecordedAgent().result('duration', 10) }),
  ]);
  assert.equal(ratio, 0.65);
});

/** Two stages without durations and one agent; what it sent of the first one. */
function untimed(endedBy: StageResult['endedBy'], stages = 2): number | null {
  const agent = new RecordedAgent();
  const interval = agent.interval({ read: { latenciesNs: [5] } }, { seconds: 3 });
  const plan = planOf(
    1,
    Array.from({ length: stages }, (_, index) => stagePlan(index, { durationMs: undefined })),
  );
  return ratioOf([
    at(0, runRecord(plan)),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0] }),
    at(2, { type: 'interval', agent: 0, interval }),
    at(3, { type: 'stageResult', agent: 0, result: agent.result(endedBy, 2.5) }),
  ]);
}

test('[RES-05] what was planned of a stage without a duration is not known when nobody finished it', () => {
  assert.equal(untimed('operations', 1), 1);
  assert.equal(untimed('error', 1), null, 'cut');
  assert.equal(untimed('error'), null);
  assert.equal(untimed('operations'), null, 'the second one never started');
});

test('[RES-05] a stage without a duration lasted as long as anyone was at it, if one finished', () => {
  const [whole, cut] = [new RecordedAgent(), new RecordedAgent()];
  const ratio = ratioOf([
    at(0, runRecord(planOf(2, [stagePlan(0, { durationMs: undefined })]))),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0, 1] }),
    at(3, { type: 'stageResult', agent: 0, result: whole.result('operations', 10) }),
    at(3, { type: 'stageResult', agent: 1, result: cut.result('error', 5) }),
  ]);
  assert.equal(ratio, 0.75);
  // Who was cut later than that was at it until then, not until the end of its last second.
  const late = new RecordedAgent();
  const interval = late.interval({ read: { latenciesNs: [5] } }, { seconds: 5 });
  const longer = ratioOf([
    at(0, runRecord(planOf(2, [stagePlan(0, { durationMs: undefined })]))),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0, 1] }),
    at(2, { type: 'interval', agent: 1, interval }),
    at(3, { type: 'stageResult', agent: 0, result: whole.result('operations', 2) }),
    at(3, { type: 'stageResult', agent: 1, result: late.result('error', 4.5) }),
  ]);
  assert.equal(longer, 1);
});

test('[RES-05] a stage that ended by its work before its duration was as long for an agent that never began it', () => {
  const done = new RecordedAgent().result('operations', 0.5);
  const records = [
    at(0, runRecord(planOf(2, [stagePlan(0, { durationMs: 20_000, maxOperations: 1000 })]))),
    at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0] }),
    at(3, { type: 'stageResult', agent: 0, result: done }),
  ];
  assert.equal(ratioOf(records), 0.5);
  // Of who was in the middle of it nobody knows how long it would have taken.
  const interval = new RecordedAgent().interval({ read: { latenciesNs: [5] } });
  const cut = at(2, { type: 'interval', agent: 1, interval });
  assert.ok(Math.abs((ratioOf([...records, cut]) ?? 0) - 1.5 / 20.5) < 1e-6);
});
