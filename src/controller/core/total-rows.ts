import type { OperationKind } from '../../shared/model/operation.js';
import type { IntervalRow, RowMark } from './interval-rows.js';
import { latencyOf } from './latency.js';
import type { Pieces } from './pieces.js';
import type { AgentTrack, StageTrack } from './stage-track.js';

/** Rows in a piece of work: some milliseconds. */
export const rowsPerPiece = 50;

/** The rows of every agent, one after the other. */
export function* rowsOfAll(
  track: StageTrack,
  operation: OperationKind,
  agents: readonly AgentTrack[],
): Pieces<IntervalRow[]> {
  const rows: IntervalRow[] = [];
  for (const { stage } of track.members(agents)) {
    for (const row of stage.rows(operation)) {
      rows.push(row);
      if (rows.length % rowsPerPiece === 0) yield;
    }
  }
  return rows;
}

/**
 * The time line of all agents together. Seconds that one agent reported in one sample stay together for all, so no
 * number is divided; the sum over the rows is the sum over the agents' rows.
 */
export function* totalRows(
  track: StageTrack,
  operation: OperationKind,
  rows: readonly IntervalRow[],
): Generator<IntervalRow> {
  const sorted = [...rows].sort((a, b) => a.first - b.first);
  let group: IntervalRow[] = [];
  let last = -1;
  for (const row of sorted) {
    if (group.length > 0 && row.first > last) {
      yield totalRow(track, operation, group, last);
      group = [];
    }
    group.push(row);
    last = Math.max(last, row.last);
  }
  if (group.length > 0) yield totalRow(track, operation, group, last);
}

function totalRow(
  track: StageTrack,
  operation: OperationKind,
  group: readonly IntervalRow[],
  last: number,
): IntervalRow {
  const first = group[0]?.first ?? 0;
  const histogram = track.seconds.get(operation)?.within({ first, last });
  const response = track.responses.get(operation)?.within({ first, last });
  const sum = (pick: (row: IntervalRow) => number): number =>
    group.reduce((total, row) => total + pick(row), 0);
  return {
    first,
    last,
    count: sum((row) => row.count),
    bytes: sum((row) => row.bytes),
    errors: sum((row) => row.errors),
    latency: histogram ? latencyOf(histogram) : null,
    response: response ? latencyOf(response) : null,
    missed: sum((row) => row.missed),
    inFlight: sum((row) => row.inFlight),
    oldestInFlightNs: group.reduce((oldest, row) => Math.max(oldest, row.oldestInFlightNs), 0),
    mark: gravestMark(group, last > first),
  };
}

function gravestMark(group: readonly IntervalRow[], wide: boolean): RowMark {
  if (group.some((row) => row.mark === 'missing')) return 'missing';
  return wide ? 'merged' : '';
}
