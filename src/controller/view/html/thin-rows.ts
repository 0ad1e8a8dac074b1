import type { IntervalRow } from '../../core/interval-rows.js';

/** One column of a chart: what was done in the seconds `first` … `last`. */
export interface Column {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** Null: see `perSecond`. */
  readonly rate: number | null;
  readonly bytesRate: number | null;
  readonly errors: number;
  /** ns; of several rows the highest: an average would hide what one looks for. Null: nothing was recorded. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  /** The 99th percentile of response times; null in closed loop. */
  readonly responseP99: number | null;
  readonly missing: boolean;
}

/** At most `most` columns, each of the same number of rows; counts are added, so no operation is left out. */
export function thinRows(
  rows: readonly IntervalRow[],
  most: number,
  loadSeconds: number,
): readonly Column[] {
  const each = Math.max(1, Math.ceil(rows.length / most));
  const columns: Column[] = [];
  for (let at = 0; at < rows.length; at += each) {
    columns.push(columnOf(rows.slice(at, at + each), loadSeconds));
  }
  return columns;
}

/**
 * What was counted in the seconds `first` … `last`, per second of load. Null where there was load in less than half a
 * second of them: in the last one operations only end, and a line would fall to zero where nothing became slower.
 */
export function perSecond(
  counted: number,
  { first, last }: { readonly first: number; readonly last: number },
  loadSeconds: number,
): number | null {
  const seconds = Math.min(last + 1, loadSeconds) - first;
  return seconds > 0 && seconds >= Math.min(0.5, loadSeconds) ? counted / seconds : null;
}

function columnOf(rows: readonly IntervalRow[], loadSeconds: number): Column {
  const first = rows[0]?.first ?? 0;
  const last = rows.at(-1)?.last ?? first;
  const inRate = (counted: number): number | null =>
    perSecond(counted, { first, last }, loadSeconds);
  const highest = (pick: (row: IntervalRow) => number | undefined): number | null => {
    const known = rows.map(pick).filter((value) => value !== undefined);
    return known.length === 0 ? null : Math.max(...known);
  };
  const sum = (pick: (row: IntervalRow) => number): number =>
    rows.reduce((total, row) => total + pick(row), 0);
  const count = sum((row) => row.count);
  return {
    first,
    last,
    count,
    rate: inRate(count),
    bytesRate: inRate(sum((row) => row.bytes)),
    errors: sum((row) => row.errors),
    p50: highest((row) => row.latency?.p50),
    p99: highest((row) => row.latency?.p99),
    max: highest((row) => row.latency?.max),
    responseP99: highest((row) => row.response?.p99),
    missing: rows.some((row) => row.mark === 'missing'),
  };
}
