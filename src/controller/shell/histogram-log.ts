import * as hdr from 'hdr-histogram-js';
import { Histogram } from '../../shared/metrics/histogram.js';
import type { OperationKind } from '../../shared/model/operation.js';
import type { Aggregate } from '../core/aggregate.js';
import { totalRows } from '../core/total-rows.js';
import type { StageTrack } from '../core/stage-track.js';

const oneHourNs = 3_600_000_000_000;
const nsPerMs = 1e6;

/**
 * histograms.hlog in pieces: HdrHistogram's log format 1.3, service latencies in nanoseconds of all agents together, one
 * line per interval and operation, tagged `{stage}.{operation}`; Interval_Max is in milliseconds. What came without an
 * interval is in one more line over the whole stage, so the lines of a tag add up to the operation's histogram.
 */
export function* histogramLog(aggregate: Aggregate): Generator<string> {
  const start = aggregate.run?.startedUnixMs ?? 0;
  yield '#[Histogram log format version 1.3]\n';
  yield `#[StartTime: ${(start / 1000).toFixed(3)} (seconds since epoch)]\n`;
  yield '#[Times are seconds since the start of the stage named in the tag]\n';
  yield '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n';
  for (const track of aggregate.stages) {
    for (const operation of track.operations) yield* operationLog(aggregate, track, operation);
  }
}

function* operationLog(
  aggregate: Aggregate,
  track: StageTrack,
  operation: OperationKind,
): Generator<string> {
  const members = track.members(aggregate.agents);
  const rest = new Map<number, { high: number; count: number }>();
  for (const { stage } of members) {
    stage.totals.get(operation)?.service.forEachBucket((low, high, count) => {
      rest.set(low, { high, count: count + (rest.get(low)?.count ?? 0) });
    });
  }
  const tag = `${track.plan.name}.${operation}`.replace(/[\s,]+/g, '_');
  const rows = members.flatMap(({ stage }) => [...stage.rows(operation)]);
  let end = 0;
  for (const { first, last } of totalRows(track, operation, rows)) {
    end = last + 1;
    const histogram = track.seconds.get(operation)?.within({ first, last }) ?? new Histogram();
    histogram.forEachBucket((low, high, count) => {
      rest.set(low, { high, count: (rest.get(low)?.count ?? 0) - count });
    });
    yield line(tag, first, end, buckets(histogram));
  }
  const left = [...rest]
    .filter(([, { count }]) => count > 0)
    .map(([low, rest]) => ({ low, ...rest }));
  if (left.length > 0) yield line(tag, 0, end, left);
}

interface Bucket {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

function buckets(histogram: Histogram): readonly Bucket[] {
  const all: Bucket[] = [];
  histogram.forEachBucket((low, high, count) => {
    all.push({ low, high, count });
  });
  return all;
}

function line(tag: string, from: number, to: number, counts: readonly Bucket[]): string {
  const histogram = hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: oneHourNs,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 64,
  });
  for (const { low, count } of counts) histogram.recordValueWithCount(low, count);
  histogram.tag = tag;
  let text = '';
  const writer = new hdr.HistogramLogWriter((piece) => (text += piece));
  writer.outputIntervalHistogram(histogram, from, to, nsPerMs);
  return text;
}
