import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import { atOnce } from '../../../../src/controller/core/pieces.js';
import { stageSection } from '../../../../src/controller/view/html/stage-section.js';
import { summaryText } from '../../../../src/controller/view/summary-text.js';
import { sampleRun, stagePlan } from '../../../support/recorded-run.js';

/** The sample run, whose agents begin 100 us apart, with its stage made by our own threads or by fio. */
function run(fio: Readonly<Record<string, string>> | undefined): Aggregate {
  const aggregate = new Aggregate();
  for (const record of sampleRun({ plan: { maxStartSpreadMs: 0.05 } })) {
    if (record.type !== 'run') aggregate.accept(record);
    else {
      const stages = record.plan.stages.map((stage) => stagePlan(stage.index, { ...stage, fio }));
      aggregate.accept({ ...record, plan: { ...record.plan, stages } });
    }
  }
  return aggregate;
}

function shown(aggregate: Aggregate): { text: string; page: string } {
  const summary = aggregate.summary();
  const [stage] = summary.stages;
  const [track] = aggregate.stages;
  assert.ok(stage && track);
  return {
    text: summaryText(summary, { width: 500 }),
    page: atOnce(stageSection(stage, track, aggregate.agents)).text,
  };
}

test('[RUN-20] [ENG-02] of a stage that fio runs the spread is that of its release, and is called so', () => {
  const aggregate = run({ ioengine: 'libaio' });
  const { text, page } = shown(aggregate);
  assert.match(
    text,
    /agents, fio let go within 100 us \(\+- 80\.0 us\), its first operations not known, /,
  );
  assert.match(page, /· fio let go within 100 us \(± 80\.0 us\), its first operations not known ·/);
  assert.match(text, /- stage mixed: agents let fio go 0\.1 ms apart, more than max_start_spread/);
  assert.equal(aggregate.summary().stages[0]?.start?.of, 'release');
  assert.doesNotMatch(text + page, /start spread/);
});

test('[RUN-20] of any other stage it is that of the first operations', () => {
  const aggregate = run(undefined);
  const { text, page } = shown(aggregate);
  assert.match(text, /agents, start spread 100 us \(\+- 80\.0 us\), /);
  assert.match(page, /· start spread 100 us \(± 80\.0 us\) ·/);
  assert.match(text, /- stage mixed: agents started 0\.1 ms apart, more than max_start_spread/);
  assert.equal(aggregate.summary().stages[0]?.start?.of, 'first_operation');
});
