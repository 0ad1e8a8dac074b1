/** Syncs that fio times apart from the writes, from the agents' results to the summary. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import type { StageSummary, Summary } from '../../../../src/controller/core/summary.js';
import { atOnce } from '../../../../src/controller/core/pieces.js';
import { stageSection } from '../../../../src/controller/view/html/stage-section.js';
import { summaryText } from '../../../../src/controller/view/summary-text.js';
import { Histogram } from '../../../../src/shared/metrics/histogram.js';
import { sampleRun } from '../../../support/recorded-run.js';

/** The sample run of three agents, with what each says of its syncs. */
function run(syncs: readonly (Uint8Array | undefined)[]): Aggregate {
  const aggregate = new Aggregate();
  for (const record of sampleRun()) {
    const own = record.type === 'stageResult' ? syncs[record.agent] : undefined;
    if (record.type !== 'stageResult' || own === undefined) aggregate.accept(record);
    else aggregate.accept({ ...record, result: { ...record.result, syncs: own } });
  }
  return aggregate;
}

function histogram(...latenciesNs: readonly number[]): Histogram {
  const made = new Histogram();
  for (const ns of latenciesNs) made.record(ns);
  return made;
}

const stageOf = (summary: Summary): StageSummary => summary.stages[0]!;

const mine = histogram(50_000, 60_000, 9_000_000);
const other = histogram(70_000);
const aggregate = run([mine.encode(), other.encode(), new Uint8Array()]);

test('[MEAS-01] [ENG-02] the syncs of all agents are merged, and are no operations', () => {
  const { syncs, agents, operations } = stageOf(aggregate.summary());
  const pooled = new Histogram();
  pooled.merge(mine);
  pooled.merge(other);
  assert.equal(syncs?.count, 4);
  assert.equal(syncs.service_ns.p50, pooled.percentile(50));
  assert.equal(syncs.service_ns.max, pooled.percentile(100));
  assert.deepEqual(
    Object.values(agents).map((agent) => agent.syncs?.count ?? null),
    [3, 1, null],
  );
  assert.deepEqual(operations, stageOf(run([]).summary()).operations);
});

test('[ENG-02] the syncs are a line below the operations; a stage without them has none', () => {
  const line =
    /^ {2}4 syncs, which fio times apart from the writes: mean 2\.29 ms, p50 60\.0 us, /m;
  assert.match(summaryText(aggregate.summary(), {}), line);
  const section = atOnce(
    stageSection(stageOf(aggregate.summary()), aggregate.stages[0]!, aggregate.agents),
  );
  assert.match(section.text, /<p class="facts">4 syncs, which fio times apart/);
  assert.match(summaryText(run([other.encode()]).summary(), {}), /^ {2}1 sync, which fio/m);
  const without = run([]).summary();
  assert.equal(stageOf(without).syncs, null);
  assert.doesNotMatch(summaryText(without, {}), /syncs/);
});

test('[RUN-08] a result whose syncs cannot be read is left out as a whole, and that is said', () => {
  const { warnings, stages } = run([Uint8Array.of(9, 9, 9)]).summary();
  assert.match(warnings.join('\n'), /agent agent-1: stage result left out: .*layout version 9/);
  assert.equal(stages[0]?.agents['agent-1']?.ended_by, null);
});
