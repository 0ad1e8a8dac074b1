import type { OperationKind } from '../../shared/model/operation.js';
import type { Aggregate } from './aggregate.js';
import type { IntervalRow } from './interval-rows.js';
import { failureWarnings } from './failed-operations.js';
import { datasetDifferences, stageDifferences } from './plan-differences.js';
import type { StageTrack } from './stage-track.js';
import type { RunOperationNumbers, StageSummary, Summary } from './summary.js';
import { totalRows } from './total-rows.js';
import { differenceBound, mean } from './welch.js';
import { counted } from '../../shared/kernel/counted.js';

/** One of two runs that are compared. */
export interface ComparedRun {
  readonly aggregate: Aggregate;
  readonly summary: Summary;
}

export type Metric = 'per_second' | 'p50' | 'p99';

/** unclear: too few seconds to say; same: the difference may as well be noise. */
export type ComparisonVerdict = 'better' | 'worse' | 'same' | 'unclear';

/** One number of both runs. Latencies are response latencies in nanoseconds. */
export interface MetricComparison {
  readonly stage: string;
  readonly operation: OperationKind;
  readonly metric: Metric;
  readonly a: number;
  readonly b: number;
  /** b ÷ a − 1 */
  readonly change: number;
  /** A change of the seconds' mean by more than this is no noise of the seconds (95 %); null: too few of them to say. */
  readonly bound: number | null;
  readonly verdict: ComparisonVerdict;
  /** Worse by more than the limit. */
  readonly regression: boolean;
}

export interface Comparison {
  readonly metrics: readonly MetricComparison[];
  /** Why the two are not the same test, or not whole. */
  readonly doubts: readonly string[];
}

/** @param limit a change for the worse that is more than noise and more than this (0.05: 5 %) is a regression */
export function compareRuns(a: ComparedRun, b: ComparedRun, limit: number): Comparison {
  const metrics = a.summary.stages.flatMap((stage, index) => {
    const { name } = stage;
    const other = b.summary.stages.findIndex((one) => one.name === name);
    const [ofA, ofB] = [sideOf(a, index), sideOf(b, other)];
    if (!ofA || !ofB) return [];
    return ofA.track.operations.flatMap((operation) => compared(operation, ofA, ofB, limit));
  });
  return { metrics, doubts: doubtsOf(a, b) };
}

interface Side {
  readonly run: ComparedRun;
  readonly stage: StageSummary;
  readonly track: StageTrack;
}

function sideOf(run: ComparedRun, index: number): Side | undefined {
  const [stage, track] = [run.summary.stages[index], run.aggregate.stages[index]];
  return stage && track && { run, stage, track };
}

function compared(operation: OperationKind, a: Side, b: Side, limit: number): MetricComparison[] {
  const [numbersA, numbersB] = [a.stage.operations[operation], b.stage.operations[operation]];
  if (!numbersA || !numbersB) return [];
  const [rowsA, rowsB] = [secondsOf(a, operation), secondsOf(b, operation)];
  return (['per_second', 'p50', 'p99'] as const).flatMap((metric) => {
    const [of, against] = [valueOf(numbersA, metric), valueOf(numbersB, metric)];
    if (of === undefined || against === undefined || of === 0) return [];
    const series = (rows: readonly IntervalRow[]): number[] =>
      rows.flatMap((row) => inRow(row, metric) ?? []);
    const [seriesA, seriesB] = [series(rowsA), series(rowsB)];
    const difference = differenceBound(seriesA, seriesB);
    const change = against / of - 1;
    const bound = difference === undefined ? null : difference / mean(seriesA);
    // Of the same numbers as the bound: a percentile of the whole is not the mean of the seconds' percentiles.
    const verdict = verdictOn(metric, mean(seriesB) / mean(seriesA) - 1, bound);
    const regression = verdict === 'worse' && isWorse(metric, change) && Math.abs(change) > limit;
    const { name: stage } = a.stage;
    return [{ stage, operation, metric, a: of, b: against, change, bound, verdict, regression }];
  });
}

function verdictOn(metric: Metric, change: number, bound: number | null): ComparisonVerdict {
  if (bound === null) return 'unclear';
  if (change === 0 || Math.abs(change) <= bound) return 'same';
  return isWorse(metric, change) ? 'worse' : 'better';
}

function isWorse(metric: Metric, change: number): boolean {
  return metric === 'per_second' ? change < 0 : change > 0;
}

function valueOf(numbers: RunOperationNumbers, metric: Metric): number | undefined {
  return metric === 'per_second' ? numbers.per_second : numbers.response_ns?.[metric];
}

function inRow(row: IntervalRow, metric: Metric): number | undefined {
  return metric === 'per_second' ? row.count : (row.response ?? row.latency)?.[metric];
}

/** Whole seconds of all agents before the first one had finished. */
function secondsOf({ run, stage, track }: Side, operation: OperationKind): readonly IntervalRow[] {
  const rows = track.members(run.aggregate.agents).flatMap((one) => [...one.stage.rows(operation)]);
  const untilS = stage.first_done_s ?? Infinity;
  return [...totalRows(track, operation, rows)].filter(
    ({ mark, last }) => mark === '' && last + 1 <= untilS,
  );
}

function doubtsOf(a: ComparedRun, b: ComparedRun): readonly string[] {
  const sides = [
    ['A', a.summary],
    ['B', b.summary],
  ] as const;
  const ofEach = sides.flatMap(([side, { outcome, measurement, stages }]) => [
    ...(outcome === 'completed' ? [] : [`${side} is ${outcome}`]),
    ...(measurement.generator_bound.length === 0
      ? []
      : [`${side}: the load generator may have been the limit, not storage`]),
    // In no rate and no latency: storage that refuses half of what it is asked may look the faster.
    ...stages.flatMap(failureWarnings).map((sentence) => `${side}: ${sentence}`),
  ]);
  return [...ofEach, ...differencesOf(a, b)];
}

function differencesOf(a: ComparedRun, b: ComparedRun): readonly string[] {
  const [one, other] = [a.summary, b.summary];
  const doubts: string[] = [];
  if (one.run.version !== other.run.version) {
    doubts.push(`versions differ: A ${one.run.version}, B ${other.run.version}`);
  }
  const [agentsA, agentsB] = [one.coverage.agents_planned, other.coverage.agents_planned];
  if (agentsA !== agentsB) {
    doubts.push(`A has ${counted(agentsA, 'agent')}, B has ${String(agentsB)}`);
  }
  const [planA, planB] = [a.aggregate.run?.plan, b.aggregate.run?.plan];
  if (planA && planB && planA.namespace !== planB.namespace) {
    doubts.push(`the files are ${planA.namespace} in A, ${planB.namespace} in B`);
  }
  // An agent's own, instead of the stage's.
  const [threadsA, threadsB] = [planA, planB].map((plan) =>
    JSON.stringify(plan?.agents.map(({ threads }) => threads)),
  );
  if (agentsA === agentsB && threadsA !== threadsB) {
    doubts.push('agents have other numbers of threads of their own');
  }
  const [dataA, dataB] = [a, b].map(({ aggregate }) => JSON.stringify(aggregate.run?.plan.dataset));
  if (dataA !== dataB) {
    const how = planA && planB ? datasetDifferences(planA, planB) : '';
    doubts.push(`the datasets differ${how}`);
  }
  for (const [side, from, to] of [
    ['A', one, other],
    ['B', other, one],
  ] as const) {
    for (const { name } of from.stages) {
      if (!to.stages.some((stage) => stage.name === name)) {
        doubts.push(`stage ${name} is in ${side} alone`);
      }
    }
  }
  for (const { plan } of a.aggregate.stages) {
    const same = b.aggregate.stages.find((track) => track.plan.name === plan.name);
    if (same && JSON.stringify({ ...same.plan, index: plan.index }) !== JSON.stringify(plan)) {
      const how = stageDifferences(plan, same.plan);
      doubts.push(`stage ${plan.name} is configured differently${how}`);
    }
  }
  return doubts;
}
