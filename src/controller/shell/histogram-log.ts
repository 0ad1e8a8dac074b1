import * as hdr from 'hdr-histogram-js';
import { readBuckets } from '../../shared/metrics/histogram-encoding.js';
import { Histogram } from '../../shared/metrics/histogram.js';
import type { OperationKind } from '../../shared/model/operation.js';
import type { Aggregate } from '../core/aggregate.js';
import type { Pieces } from '../core/pieces.js';
import { rowsOfAll, totalRows } from '../core/total-rows.js';
import type { StageTrack } from '../core/stage-track.js';
import type { Summary } from '../core/summary.js';

const oneHourNs = 3_600_000_000_000;
const nsPerMs = 1e6;

/**
 * histograms.hlog in pieces: HdrHistogram's log format 1.3, service latencies in nanoseconds of all agents together, one
 * line per interval and operation, tagged `{stage}.{operation}`; in open loop also the response latencies, tagged
 * `{stage}.{operation}.response`. Interval_Max is in milliseconds. What came without an
 * interval is in one more line over the whole stage, so the lines of a tag add up to the operation's histogram.
 */
export function* histogramLog(
  aggregate: Aggregate,
  { outcome, reason }: Pick<Summary, 'outcome' | 'reason'>,
): Generator<string> {
  const start = aggregate.run?.startedUnixMs ?? 0;
  yield '#[Histogram log format version 1.3]\n';
  yield `#[StartTime: ${(start / 1000).toFixed(3)} (seconds since epoch)]\n`;
  // Who has this file alone is to see that it is not of the whole run.
  if (outcome !== 'completed') yield `#[${outcome.toUpperCase()}: ${oneLine(reason ?? '')}]\n`;
  yield '#[Times are seconds since the start of the stage named in the tag]\n';
  yield '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n';
  for (const track of aggregate.stages) {
    for (const operation of track.operations) {
      yield* operationLog(aggregate, track, operation, 'service');
      if (track.isOpenLoop) yield* operationLog(aggregate, track, operation, 'response');
    }
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

function* operationLog(
  aggregate: Aggregate,
  track: StageTrack,
  operation: OperationKind,
  kind: 'service' | 'response',
): Generator<string> {
  const members = track.members(aggregate.agents);
  const rest = new Histogram();
  for (const { stage } of members) {
    const totals = stage.totals.get(operation);
    if (totals) rest.merge(totals[kind]);
  }
  const suffix = kind === 'response' ? '.response' : '';
  const tag = `${track.plan.name}.${operation}${suffix}`.replace(/[\s,]+/g, '_');
  const seconds = (kind === 'response' ? track.responses : track.seconds).get(operation);
  const rows = yield* emptyPieces(rowsOfAll(track, operation, aggregate.agents));
  let end = 0;
  for (const { first, last } of totalRows(track, operation, rows)) {
    end = last + 1;
    const histogram = seconds?.within({ first, last }) ?? new Histogram();
    const { indexes, counts, length } = readBuckets(histogram.encode());
    for (let at = 0; at < length; at++) rest.addBucket(indexes[at] ?? 0, -(counts[at] ?? 0));
    yield line(tag, first, end, histogram);
  }
  if (rest.count > 0) yield line(tag, 0, end, rest);
}

/** Work that makes no text is a piece of it that is empty. */
function* emptyPieces<T>(work: Pieces<T>): Generator<string, T> {
  for (;;) {
    const piece = work.next();
    if (piece.done === true) return piece.value;
    yield '';
  }
}

function line(tag: string, from: number, to: number, counts: Histogram): string {
  const histogram = hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: oneHourNs,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 64,
  });
  counts.forEachBucket((low, _high, count) => {
    histogram.recordValueWithCount(low, count);
  });
  histogram.tag = tag;
  let text = '';
  const writer = new hdr.HistogramLogWriter((piece) => (text += piece));
  writer.outputIntervalHistogram(histogram, from, to, nsPerMs);
  return text;
}
