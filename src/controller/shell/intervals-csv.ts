import type { Aggregate } from '../core/aggregate.js';
import type { IntervalRow } from '../core/interval-rows.js';
import type { LatencySummary } from '../core/latency.js';
import { rowsPerPiece, totalRows } from '../core/total-rows.js';

const header =
  'stage,second,seconds,agent,operation,ops,bytes,errors,mean_ns,p50_ns,p90_ns,p99_ns,p99_9_ns,max_ns,in_flight,oldest_in_flight_ns,gap,missed,response_mean_ns,response_p50_ns,response_p90_ns,response_p99_ns,response_p99_9_ns,response_max_ns';

/** Name of the rows for all agents together; no agent can have it, ids have no asterisk. */
const total = '*';

/**
 * intervals.csv in pieces of some rows. Columns and marks: docs/results.md. Rows of an operation add up to
 * its totals in summary.json, over the agents as well as over `*`.
 */
export function* intervalsCsv(aggregate: Aggregate): Generator<string> {
  yield `${header}\n`;
  for (const track of aggregate.stages) {
    for (const operation of track.operations) {
      const all: IntervalRow[] = [];
      for (const { agent, stage } of track.members(aggregate.agents)) {
        const own = kept(stage.rows(operation), all);
        yield* lines(track.plan.name, agent.plan.id, operation, own);
      }
      yield* lines(track.plan.name, total, operation, totalRows(track, operation, all));
    }
  }
}

function* kept(rows: Iterable<IntervalRow>, all: IntervalRow[]): Generator<IntervalRow> {
  for (const row of rows) {
    all.push(row);
    yield row;
  }
}

function* lines(
  stage: string,
  agent: string,
  operation: string,
  rows: Iterable<IntervalRow>,
): Generator<string> {
  let text = '';
  let count = 0;
  for (const row of rows) {
    const cells = [
      quoted(stage),
      row.first,
      row.last - row.first + 1,
      quoted(agent),
      operation,
      row.count,
      row.bytes,
      row.errors,
      ...latencyCells(row.latency),
      row.inFlight,
      row.oldestInFlightNs,
      row.mark,
      row.missed,
      ...latencyCells(row.response),
    ];
    text += `${cells.join(',')}\n`;
    count += 1;
    if (count % rowsPerPiece > 0) continue;
    yield text;
    text = '';
  }
  yield text;
}

function latencyCells(latency: LatencySummary | null): readonly (number | string)[] {
  if (!latency) return ['', '', '', '', '', ''];
  return [latency.mean, latency.p50, latency.p90, latency.p99, latency.p99_9, latency.max];
}

/** RFC 4180. */
function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
