import type { LatencyTally } from '../../shared/metrics/latencies.js';
import type { LinkMetrics } from '../../shared/model/link-metrics.js';
import type { KindTraffic, LinkReport } from '../../shared/model/link-report.js';
import type { Outages } from './outages.js';

/**
 * `link_metrics` of an agent in run.json: the controller's count, and the agent's own in `agent`. Null before the first
 * count; `agent` is null before its first report.
 */
export function linkMetricsJson(
  metrics: LinkMetrics | undefined,
  report: LinkReport | undefined,
  { lossesMs, hangsMs }: Outages,
) {
  if (!metrics) return null;
  const { sent, received, dropped, latency } = metrics;
  return {
    ...{ sent, received, dropped, outages_ms: lossesMs, hangs_ms: hangsMs },
    latency_ms: latencyJson(latency),
    ...countersJson(metrics),
    agent: report ? reportJson(report) : null,
  };
}

function reportJson(report: LinkReport) {
  const dropped = report.dropped.map(({ kind, messages }) => [kind, messages] as const);
  return {
    sent: byKind(report.sent),
    received: byKind(report.received),
    dropped: Object.fromEntries(dropped),
    latency_ms: latencyJson({
      samples: report.latencySamples,
      meanMs: report.latencyMeanMs,
      maxMs: report.latencyMaxMs,
    }),
    ...countersJson(report),
    intervals_merged: report.intervalsMerged,
    intervals_dropped: report.intervalsDropped,
    checkpoints: report.checkpoints,
    checkpoint_bytes: report.checkpointBytes,
  };
}

function byKind(traffic: readonly KindTraffic[]) {
  return Object.fromEntries(
    traffic.map(({ kind, messages, bytes }) => [kind, { messages, bytes }] as const),
  );
}

/** What both sides count alike. */
function countersJson(counters: LinkMetrics | LinkReport) {
  return {
    streams: counters.streams,
    invalid: counters.invalid,
    unknown_kinds: counters.unknownKinds,
    gaps: counters.gaps,
    naks_sent: counters.naksSent,
    naks_received: counters.naksReceived,
    resent: counters.resent,
    duplicates: counters.duplicates,
    out_of_order: counters.outOfOrder,
    stale: counters.stale,
    retries: counters.retries,
    backlogs: counters.backlogs,
    compression_ratio:
      counters.packedBytes === 0 ? null : rounded(counters.payloadBytes / counters.packedBytes),
  };
}

function latencyJson({ samples, meanMs, maxMs }: LatencyTally) {
  return {
    samples,
    mean: samples === 0 ? null : rounded(meanMs),
    max: samples === 0 ? null : rounded(maxMs),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
