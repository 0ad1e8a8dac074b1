import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckpointMerge } from '../../../../src/controller/core/checkpoint-merge.js';
import { Recovery } from '../../../../src/controller/core/recovery.js';
import type { JournalRecord, RunRecord } from '../../../../src/controller/core/records.js';
import { linkReport } from '../../../../src/shared/model/link-metrics.js';
import type { AgentMessage } from '../../../../src/shared/model/messages.js';
import { agentEndpoint } from '../../../../src/shared/wire/link-endpoint.js';
import { sampleRun } from '../../../support/recorded-run.js';
import { anIntervalOf } from '../../../support/sample-messages.js';

function interval(first: number, last = first, stage = 0): AgentMessage {
  return { kind: 'interval', ...anIntervalOf({ first, last, stage }) };
}

test('[LINK-06] of a checkpoint only what the journal does not have is taken, and that once', () => {
  const merge = new CheckpointMerge();
  const take = (message: AgentMessage): boolean => {
    const record = merge.news(0, message);
    if (record) merge.learn(record);
    return record !== undefined;
  };
  for (const first of [0, 1, 2]) {
    merge.learn({ type: 'interval', agent: 0, interval: anIntervalOf({ first }) });
  }
  assert.deepEqual(
    [0, 2, 3, 3, 4].map((first) => take(interval(first))),
    [...[false, false, true, false, true]],
  );
  assert.equal(take(interval(4, 5)), false, 'half of it is counted already');
  assert.equal(take(interval(0, 0, 1)), true, 'another stage');
  assert.equal(merge.news(1, interval(0)) !== undefined, true, 'another agent');
  assert.equal(take({ kind: 'state', state: 'RUNNING', reason: '' }), false);
});

test("[LINK-12] of an agent's reports on its link only one that is newer than the journal's is taken", () => {
  const merge = new CheckpointMerge();
  const counted = agentEndpoint({ session: 'run-1', mergeHistograms: (a) => a }).metrics();
  const reportAfter = (messages: number) => {
    const sent = { heartbeat: { messages, bytes: 1 } };
    return linkReport({ ...counted, sent }, { checkpoints: 1, checkpointBytes: 2 });
  };
  const report = reportAfter(20);
  merge.learn({ type: 'linkReport', agent: 0, report: reportAfter(10) });
  assert.equal(merge.news(0, { kind: 'linkReport', ...reportAfter(10) }), undefined);
  assert.deepEqual(merge.news(0, { kind: 'linkReport', ...report }), {
    ...{ type: 'linkReport', agent: 0, report },
  });
});

test('a start is taken with the bound of its agent, a second result is not', () => {
  const merge = new CheckpointMerge();
  const clock = { offsetNs: 0n, boundNs: 77, roundTripNs: 1, wallOffsetMs: 0 };
  merge.learn({ type: 'clock', agent: 0, clock });
  const started = {
    kind: 'started',
    stage: 0,
    epoch: 1,
    firstOperationNs: 1_500n,
    atNs: 1_000n,
  } as const;
  const record = merge.news(0, started);
  assert.deepEqual(record, { type: 'started', agent: 0, stage: 0, latenessNs: 500, boundNs: 77 });
  merge.learn(record);
  assert.equal(merge.news(0, started), undefined);
  const [result] = sampleRun().filter((one) => one.type === 'stageResult');
  assert.ok(result?.type === 'stageResult');
  const message: AgentMessage = { kind: 'stageResult', ...result.result };
  assert.equal(merge.news(result.agent, message)?.type, 'stageResult');
  merge.learn(result);
  assert.equal(merge.news(result.agent, message), undefined);
});

function recoveryOf(records: readonly JournalRecord[]): Recovery {
  const recovery = new Recovery();
  for (const record of records) recovery.learn(record);
  return recovery;
}

const all = (count: number, isComplete: boolean) =>
  Array.from({ length: count }, (_, agent) => ({ agent, isComplete, reason: 'gone' }));

function at(records: readonly RunRecord[]): JournalRecord[] {
  return records.map((record) => ({ ...record, atMs: 100_000 }));
}

function endOf(records: readonly RunRecord[]) {
  const end = records.at(-1);
  assert.ok(end?.type === 'end');
  return end;
}

test('[RUN-10] a run that was cut short is brought to an end: partial, exit 4, each agent accounted for', () => {
  const records = sampleRun({ end: false });
  const cut = records.slice(
    0,
    records.findIndex(({ type }) => type === 'stageResult'),
  );
  const recovery = recoveryOf(cut);
  const count = recovery.plan?.agents.length ?? 0;
  const asked = all(count, true).map((one) => ({ ...one, isComplete: one.agent !== 0 }));
  const added = recovery.end(asked);
  const end = endOf(added);
  assert.equal(end.outcome, 'partial');
  assert.equal(end.exitCode, 4);
  assert.equal(
    end.reason,
    `the controller stopped before the run ended; recovered from ${String(count - 1)} of ${String(count)} agents`,
  );
  assert.ok(added.some(({ type }) => type === 'stageEnd'));
  const moved = added.filter((record) => record.type === 'transition');
  assert.deepEqual(
    moved.map(({ agent, to }) => [agent, to]),
    asked.map(({ agent }) => [agent, agent === 0 ? 'FAILED' : 'ABORTED']),
  );
});

test('a run of which everything had arrived is whole, and one that had ended is not ended again', () => {
  const whole = recoveryOf(sampleRun({ end: false }));
  const count = whole.plan?.agents.length ?? 0;
  assert.equal(endOf(whole.end(all(count, false))).exitCode, 0);
  assert.deepEqual(recoveryOf(sampleRun()).end(all(count, true)), []);
});

test('[LINK-06] a run that ended without the results of agents is whole once recover has them all', () => {
  const ended = (
    records: readonly JournalRecord[],
    outcome: 'partial' | 'aborted' | 'interrupted',
  ): JournalRecord[] => {
    const at = { atMs: 99_000, notRepresentative: true, exitCode: 5, reason: 'lost' } as const;
    const lost = { type: 'transition', agent: 0, from: 'RUNNING', to: 'FAILED' } as const;
    const failed = { ...lost, reason: 'lost', atMs: 98_000 };
    return [...records, failed, { type: 'end', outcome, ...at }];
  };
  const records = sampleRun({ end: false });
  for (const how of ['partial', 'aborted'] as const) {
    const whole = recoveryOf(ended(records, how));
    const added = whole.end(all(whole.plan?.agents.length ?? 0, true));
    const { outcome, exitCode, reason, notRepresentative } = endOf(added);
    assert.deepEqual(
      [outcome, exitCode, reason, notRepresentative],
      ['completed', 0, undefined, false],
    );
    const moved = added.filter((record) => record.type === 'transition');
    assert.deepEqual(
      moved.map(({ agent, from, to }) => [agent, from, to]),
      [[0, 'FAILED', 'COMPLETED']],
    );
    assert.deepEqual(recoveryOf([...ended(records, how), ...at(added)]).end([]), []);
  }
  const some = records.filter((record) => record.type !== 'stageResult' || record.agent !== 0);
  assert.deepEqual(recoveryOf(ended(some, 'aborted')).end([]), [], 'a result is missing');
  assert.deepEqual(recoveryOf(ended(records, 'interrupted')).end([]), [], 'the user ended it');
  const share = { type: 'share', stage: 0, epoch: 1, agents: [1], atMs: 97_000 } as const;
  assert.deepEqual(
    recoveryOf(ended([...records, share], 'partial')).end([]),
    [],
    'more was done than planned',
  );
});

test('[RUN-18] a journal that its disk cut short is completed with what the agents kept: whole again, or it says both', () => {
  const cut = 'the journal ends before the run did (disk full); the run itself: completed';
  const ended = (records: readonly JournalRecord[], reason: string): JournalRecord[] => {
    const at = { atMs: 99_000, notRepresentative: false, outcome: 'partial', exitCode: 6 } as const;
    return [...records, { type: 'end', reason, ...at }];
  };
  const records = sampleRun({ end: false });
  const whole = recoveryOf(ended(records, cut));
  assert.equal(whole.hasEnd, false);
  const count = whole.plan?.agents.length ?? 0;
  assert.equal(endOf(whole.end(all(count, true))).exitCode, 0);
  const most = records.filter((record) => record.type !== 'stageResult' || record.agent !== 0);
  const some = recoveryOf(ended(most, cut)).end(all(count, false));
  const { reason, exitCode } = endOf(some);
  assert.equal(exitCode, 4);
  assert.equal(reason, `${cut}; recovered from 0 of ${String(count)} agents`);
  const moved = some.filter((record) => record.type === 'transition');
  assert.ok(moved.every(({ agent, to }) => to === (agent === 0 ? 'FAILED' : 'COMPLETED')));
  const again = recoveryOf(ended(ended(most, cut), reason));
  assert.equal(again.hasEnd, true);
  assert.equal(
    endOf(again.end(all(count, true))).reason,
    `${cut}; recovered from ${String(count)} of ${String(count)} agents`,
  );
});
