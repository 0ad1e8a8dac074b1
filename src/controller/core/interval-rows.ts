import type { IntervalTable } from './interval-table.js';
import type { LatencySummary } from './latency.js';

/**
 * '' one second as sampled; 'merged' several seconds in one sample; 'missing' seconds of which no sample arrived: what
 * was done in them is known from the cumulative counters around the gap.
 */
export type RowMark = '' | 'merged' | 'missing';

/** What one agent did with one operation in the seconds `first` … `last`. */
export interface IntervalRow {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly bytes: number;
  readonly errors: number;
  readonly latency: LatencySummary | null;
  /** Open loop only; else null and 0. */
  readonly response: LatencySummary | null;
  readonly missed: number;
  readonly inFlight: number;
  readonly oldestInFlightNs: number;
  readonly mark: RowMark;
}

export interface FinalCounters {
  readonly count: number;
  readonly bytes: number;
  readonly errors: number;
  readonly missed: number;
  /** Seconds the agent sampled, from 0; 0 when it has not said. */
  readonly seconds: number;
}

/**
 * The time line of one agent and operation without holes: the sum over the rows is exactly `final`. In a gap the bytes
 * are divided by operations, because only their sum with the next interval's is known.
 */
export function* intervalRows(table: IntervalTable, final: FinalCounters): Generator<IntervalRow> {
  let next = 0;
  let count = 0;
  let bytes = 0;
  let errors = 0;
  let missedBefore = 0;
  for (const index of table.inOrder()) {
    const point = table.at(index);
    const newBytes = point.totalBytes - bytes;
    let rowCount = point.totalCount - count;
    let rowErrors = point.totalErrors - errors;
    let rowBytes = newBytes;
    if (point.first > next) {
      const lost = rowCount - point.count;
      const lostBytes = rowCount > 0 ? Math.round((newBytes * lost) / rowCount) : 0;
      // Which of the missed schedules were missed in the gap is not known: they are the next interval's.
      yield missing(next, point.first - 1, lost, lostBytes, rowErrors - point.errors, 0);
      rowBytes -= lostBytes;
      rowCount = point.count;
      rowErrors = point.errors;
    }
    const { first, last, latency, response, inFlight, oldestInFlightNs } = point;
    const mark = last > first ? 'merged' : '';
    yield {
      first,
      last,
      count: rowCount,
      bytes: rowBytes,
      errors: rowErrors,
      latency,
      response,
      missed: point.totalMissed - missedBefore,
      inFlight,
      oldestInFlightNs,
      mark,
    };
    next = last + 1;
    count = point.totalCount;
    bytes = point.totalBytes;
    errors = point.totalErrors;
    missedBefore = point.totalMissed;
  }
  const rest = { count: final.count - count, bytes: final.bytes - bytes };
  const missed = final.missed - missedBefore;
  const more = rest.count !== 0 || rest.bytes !== 0 || final.errors !== errors || missed !== 0;
  if (more || final.seconds > next) {
    const last = Math.max(next, final.seconds - 1);
    yield missing(next, last, rest.count, rest.bytes, final.errors - errors, missed);
  }
}

function missing(
  first: number,
  last: number,
  count: number,
  bytes: number,
  errors: number,
  missed: number,
): IntervalRow {
  return {
    first,
    last,
    count,
    bytes,
    errors,
    latency: null,
    response: null,
    missed,
    inFlight: 0,
    oldestInFlightNs: 0,
    mark: 'missing',
  };
}
