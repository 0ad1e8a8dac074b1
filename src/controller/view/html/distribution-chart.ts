import { Histogram } from '../../../shared/metrics/histogram.js';
import type { OperationKind } from '../../../shared/model/operation.js';
import type { StageMember } from '../../core/stage-track.js';
import { duration } from '../format.js';
import { lineChart } from './line-chart.js';
import { nothing } from './markup.js';
import type { Markup } from './markup.js';
import { logScale } from './scale.js';

/** The shares above which latencies are asked for: 1 is every operation, 0.001 the slowest of a thousand. */
const slowest = [1, 0.75, 0.5, 0.25, 0.1, 0.05, 0.025, 0.01, 5e-3, 2.5e-3, 1e-3, 1e-4, 1e-5, 1e-6];

/** Latency by percentile, both axes logarithmic, as HdrHistogram's plotter shows it. */
export function distributionChart(
  operation: OperationKind,
  members: readonly StageMember[],
): Markup {
  const service = merged(members, operation, 'service');
  if (service.count === 0) return nothing;
  const response = merged(members, operation, 'response');
  // A share that not even one operation is above has no percentile of its own.
  const shares = slowest.filter((share) => share * service.count >= 1);
  const at = (histogram: Histogram): readonly number[] =>
    shares.map((share) => Math.max(1, histogram.percentile((1 - share) * 100)));
  const lines = [{ name: 'service', values: at(service) }];
  if (response.count > 0) lines.push({ name: 'response', values: at(response) });
  const values = lines.flatMap((line) => line.values);
  const last = Math.max(1, -Math.log10(shares.at(-1) ?? 1));
  return lineChart({
    title: `${operation}: latency by percentile`,
    lines,
    x: { at: (value) => value / last, ticks: shares.filter(isDecade).map(depth) },
    columns: shares.map(depth),
    y: logScale(Math.min(...values), Math.max(...values)),
    xText: (value) => percentileText(10 ** -value),
    yText: duration,
    columnText: (column) =>
      lines
        .map(({ name, values: of }) => `${name} ${duration(of[column] ?? 0)}`)
        .join(', ')
        .concat(` at ${percentileText(shares[column] ?? 1)}`),
  });
}

function merged(
  members: readonly StageMember[],
  operation: OperationKind,
  kind: 'service' | 'response',
): Histogram {
  const sum = new Histogram();
  for (const { stage } of members) {
    const totals = stage.totals.get(operation);
    if (totals) sum.merge(totals[kind]);
  }
  return sum;
}

function depth(share: number): number {
  return -Math.log10(share);
}

function isDecade(share: number): boolean {
  return Math.abs(depth(share) - Math.round(depth(share))) < 1e-9;
}

function percentileText(share: number): string {
  return share === 1 ? 'min' : `p${String(Number(((1 - share) * 100).toFixed(4)))}`;
}
