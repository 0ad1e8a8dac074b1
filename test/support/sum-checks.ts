import assert from 'node:assert/strict';
import { HistogramLogReader } from 'hdr-histogram-js';
import type { OperationNumbers, StageSummary } from '../../src/controller/core/summary.js';
import { decodeRecord } from '../../src/controller/shell/journal-codec.js';
import type { OperationStats } from '../../src/shared/model/messages.js';
import type { ResultsFolder } from './cli-run.js';

interface Sums {
  readonly count: number;
  readonly bytes: number;
  readonly errors: number;
}

function total(parts: readonly Sums[]): Sums {
  const sum = (pick: (part: Sums) => number): number =>
    parts.reduce((all, part) => all + pick(part), 0);
  return {
    count: sum(({ count }) => count),
    bytes: sum(({ bytes }) => bytes),
    errors: sum(({ errors }) => errors),
  };
}

function sumsOf({ count, bytes, errors }: OperationNumbers): Sums {
  return { count, bytes, errors };
}

/** Rows of intervals.csv of one stage and operation; `agents` is true for the agents' own, false for the total's. */
function rowSums(
  results: ResultsFolder,
  stage: string,
  operation: string,
  agents: boolean,
): readonly Sums[] {
  return results.intervals
    .filter((row) => row['stage'] === stage && row['operation'] === operation)
    .filter((row) => (row['agent'] !== '*') === agents)
    .map(({ ops, bytes, errors }) => ({
      count: Number(ops),
      bytes: Number(bytes),
      errors: Number(errors),
    }));
}

/** What the journal holds for a stage: the sum over the agents' last words, and over the intervals' deltas. */
function journalSums(results: ResultsFolder, stage: number, operation: string) {
  const finals: Sums[] = [];
  const lastCounters = new Map<number, Sums>();
  for (const line of results.text('journal.ndjson').trimEnd().split('\n')) {
    const record = decodeRecord(line);
    if (record.type === 'stageResult' && record.result.stage === stage) {
      finals.push(...of(record.result.operations, operation));
    } else if (record.type === 'interval' && record.interval.stage === stage) {
      const [counters] = of(record.interval.operations, operation);
      if (counters) lastCounters.set(record.agent, counters);
    }
  }
  return { finals: total(finals), intervals: total([...lastCounters.values()]) };
}

function of(operations: readonly OperationStats[], operation: string): Sums[] {
  return operations
    .filter((stats) => stats.operation === operation)
    .map(({ count, bytes, errors }) => ({
      count,
      bytes,
      errors: errors.reduce((sum, error) => sum + error.count, 0),
    }));
}

/**
 * [RES-02] summary = Σ agents = Σ rows of the agents = Σ rows of the total = Σ journal, for every operation.
 * @param idle operations of a mix may have had no turn
 */
export function assertSumsAgree(results: ResultsFolder, { idle = false } = {}): void {
  for (const [index, stage] of results.summary.stages.entries()) {
    for (const [operation, numbers] of Object.entries(stage.operations)) {
      const what = `${stage.name}.${operation}`;
      const expected = sumsOf(numbers);
      assert.ok(idle || expected.count + expected.errors > 0, `${what} did something`);
      const agents = Object.values(stage.agents).flatMap((agent) => {
        const own = agent.operations[operation];
        return own ? [sumsOf(own)] : [];
      });
      assert.deepEqual(total(agents), expected, `${what}: agents`);
      const rows = rowSums(results, stage.name, operation, true);
      assert.deepEqual(total(rows), expected, `${what}: rows of the agents`);
      const totals = rowSums(results, stage.name, operation, false);
      assert.deepEqual(total(totals), expected, `${what}: rows of the total`);
      const journal = journalSums(results, index, operation);
      assert.deepEqual(journal.finals, expected, `${what}: final results in the journal`);
      assert.deepEqual(journal.intervals, expected, `${what}: intervals in the journal`);
    }
  }
}

/** With fewer whole seconds the headline rate is total ÷ last done (3-measurement §5). */
const leastSeconds = 3;

/**
 * [MEAS-03] Every rate of the summary, computed again from its counts and from intervals.csv, as 3-measurement §5 defines
 * it; for stages without a warm-up in which no agent was lost.
 */
export function assertRatesAgree(results: ResultsFolder): void {
  for (const stage of results.summary.stages) {
    const { first_done_s: firstDone, last_done_s: lastDone } = stage;
    assert.ok(firstDone !== null && lastDone !== null, stage.name);
    for (const [operation, numbers] of Object.entries(stage.operations)) {
      const what = `${stage.name}.${operation}`;
      const { count, bytes } = numbers;
      assertClose(numbers.total_per_second, count / lastDone, `${what}: total`);
      const { within, seconds } = wholeSeconds(results, stage, operation, firstDone);
      const done = total(within);
      const [sums, spanS] = seconds < leastSeconds ? [{ count, bytes }, lastDone] : [done, seconds];
      const headline = { count: sums.count / spanS, bytes: sums.bytes / spanS };
      assertClose(numbers.per_second, headline.count, `${what}: headline`);
      assertClose(numbers.bytes_per_second, headline.bytes, `${what}: bytes`);
      assertClose(numbers.survivors_per_second ?? NaN, headline.count, `${what}: survivors`);
    }
  }
}

/**
 * The seconds before the first agent was done, and what the agents did in them. An agent without a row did nothing of
 * this kind in that second; several seconds in one row are all inside or all left out, by every agent.
 */
function wholeSeconds(
  results: ResultsFolder,
  stage: StageSummary,
  operation: string,
  firstDoneS: number,
): { within: readonly Sums[]; seconds: number } {
  const rows = results.intervals
    .filter((row) => row['stage'] === stage.name && row['agent'] !== '*')
    .map((row) => ({ row, from: Number(row['second']), seconds: Number(row['seconds']) }));
  for (const { row } of rows)
    assert.notEqual(row['mark'], 'missing', `${stage.name}: its time line is whole`);
  const whole = new Set(Array.from({ length: Math.floor(firstDoneS) }, (_, second) => second));
  const secondsOf = ({ from, seconds }: { from: number; seconds: number }): number[] =>
    Array.from({ length: seconds }, (_, k) => from + k);
  const isWithin = (range: { from: number; seconds: number }): boolean =>
    secondsOf(range).every((second) => whole.has(second));
  for (let before = -1; before !== whole.size;) {
    before = whole.size;
    const cut = rows.filter((range) => !isWithin(range));
    for (const second of cut.flatMap(secondsOf)) whole.delete(second);
  }
  const within = rows
    .filter((range) => range.row['operation'] === operation && isWithin(range))
    .map(({ row }) => ({ count: Number(row['ops']), bytes: Number(row['bytes']), errors: 0 }));
  return { within, seconds: whole.size };
}

/** As far as printed seconds and rates are rounded. */
function assertClose(printed: number, computed: number, what: string): void {
  const isClose = Math.abs(printed - computed) <= Math.max(0.1, computed * 2e-3);
  assert.ok(isClose, `${what}: ${printed} printed, ${computed} computed`);
}

/** [MEAS-01] What HdrHistogram's own reader computes from histograms.hlog is what the summary says. */
export function assertPercentilesAgree(results: ResultsFolder): void {
  const lines = results.text('histograms.hlog').split('\n');
  for (const stage of results.summary.stages) {
    for (const [operation, { count, service_ns: latency }] of Object.entries(stage.operations)) {
      if (count === 0) continue;
      const tag = `Tag=${stage.name}.${operation},`;
      const own = lines.filter((line) => line.startsWith('#') || line.startsWith(tag));
      const reader = new HistogramLogReader(own.join('\n'), 64);
      const pooled = reader.nextIntervalHistogram();
      assert.ok(pooled && latency, tag);
      for (let next = reader.nextIntervalHistogram(); next; next = reader.nextIntervalHistogram()) {
        pooled.add(next);
      }
      const computed = {
        mean: Math.round(pooled.mean),
        p50: pooled.getValueAtPercentile(50),
        p90: pooled.getValueAtPercentile(90),
        p99: pooled.getValueAtPercentile(99),
        p99_9: pooled.getValueAtPercentile(99.9),
        max: pooled.maxValue,
      };
      assert.equal(pooled.totalCount, count, tag);
      assert.deepEqual(latency, computed, tag);
    }
  }
}

/** Operations of all kinds that the stage completed, and their bytes. */
export function stageTotal(stage: StageSummary | undefined): Sums {
  assert.ok(stage);
  return total(Object.values(stage.operations).map(sumsOf));
}
