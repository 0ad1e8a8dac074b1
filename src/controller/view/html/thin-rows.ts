import type { IntervalRow } from '../../core/interval-rows.js';

/** One column of a chart: what was done in the seconds `first` … `last`. */
export interface Column {
  readonly first: number;
  readonly last: number;
  readonly perSecond: number;
  readonly bytesPerSecond: number;
  readonly errors: number;
  /** ns; of several rows the highest: an average would hide what one looks for. Null: nothing was recorded. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  readonly missing: boolean;
}

/** At most `most` columns, each of the same number of rows; counts are added, so no operation is left out. */
export function thinRows(rows: readonly IntervalRow[], most: number): readonly Column[] {
  const each = Math.max(1, Math.ceil(rows.length / most));
  const columns: Column[] = [];
  for (let at = 0; at < rows.length; at += each) columns.push(columnOf(rows.slice(at, at + each)));
  return columns;
}

function columnOf(rows: readonly IntervalRow[]): Column {
  const first = rows[0]?.first ?? 0;
  const last = rows.at(-1)?.last ?? first;
  const seconds = last - first + 1;
  const highest = (pick: (row: IntervalRow) => number | undefined): number | null => {
    const known = rows.map(pick).filter((value) => value !== undefined);
    return known.length === 0 ? null : Math.max(...known);
  };
  const sum = (pick: (row: IntervalRow) => number): number =>
    rows.reduce((total, row) => total + pick(row), 0);
  return {
    first,
    last,
    perSecond: sum((row) => row.count) / seconds,
    bytesPerSecond: sum((row) => row.bytes) / seconds,
    errors: sum((row) => row.errors),
    p50: highest((row) => row.latency?.p50),
    p99: highest((row) => row.latency?.p99),
    max: highest((row) => row.latency?.max),
    missing: rows.some((row) => row.mark === 'missing'),
  };
}
