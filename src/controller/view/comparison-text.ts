import type { Comparison, MetricComparison } from '../core/compare-runs.js';
import { isoTime } from '../core/calendar.js';
import type { Summary } from '../core/summary.js';
import { duration, rate } from './format.js';
import { table } from './table.js';
import { counted } from '../../shared/kernel/counted.js';

const names = { per_second: 'ops/s', p50: 'p50', p99: 'p99' } as const;
const verdicts = {
  better: 'better',
  worse: 'worse',
  same: 'within noise',
  unclear: 'too short to tell',
} as const;

const meaningOfBounds =
  'The bounds are of the seconds within these two runs; how much runs differ by themselves, only repeated runs tell.';

/** Two runs side by side, and what stands against comparing them. */
export function comparisonText(
  [a, b]: readonly [Summary, Summary],
  { metrics, doubts }: Comparison,
): string {
  const head = ['stage', 'operation', '', 'A', 'B', 'change', '95 %', 'verdict'];
  const rows = metrics.map((one) => [
    one.stage,
    one.operation,
    names[one.metric],
    shown(one, one.a),
    shown(one, one.b),
    percent(one.change),
    one.bound === null ? '-' : `+-${percent(one.bound).slice(1)}`,
    one.regression ? 'REGRESSION' : verdicts[one.verdict],
  ]);
  const lines = [
    `A  ${about(a)}`,
    `B  ${about(b)}`,
    '',
    ...(metrics.length === 0
      ? ['The two have no operation of a stage in common.']
      : table([head, ...rows], '')),
    ...doubts.map((doubt) => `WARNING: ${doubt}`),
    ...(metrics.length === 0 ? [] : [meaningOfBounds]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function about({ run, coverage, outcome }: Summary): string {
  return `${run.name}, ${isoTime(run.started_unix_ms)}, ${counted(coverage.agents_planned, 'agent')}, ${outcome}`;
}

function shown({ metric }: MetricComparison, value: number): string {
  return metric === 'per_second' ? rate(value) : duration(value);
}

function percent(share: number): string {
  return `${share < 0 ? '-' : '+'}${Math.abs(share * 100).toFixed(1)} %`;
}
