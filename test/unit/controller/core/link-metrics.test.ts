import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import { Manifest } from '../../../../src/controller/core/manifest.js';
import type { JournalRecord, RunRecord } from '../../../../src/controller/core/records.js';
import { LinkCounts } from '../../../../src/controller/shell/link-counts.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { decodeRecord, encodeRecord } from '../../../../src/controller/shell/journal-codec.js';
import { linkReport } from '../../../../src/shared/model/link-metrics.js';
import { at, countedLink, sampleRun } from '../../../support/recorded-run.js';
import { fleetPlan, ScriptedFleet } from '../../../support/scripted-fleet.js';

const { metrics } = countedLink();

const link = (atMs: number, to: 'DISCONNECTED' | 'CONNECTED', generation: number): JournalRecord =>
  at(atMs, { type: 'link', agent: 1, to, generation, reason: '' });

/** The link of agent-2 breaks twice: for 1.5 s, and for a tenth of a second. */
const disturbed: readonly JournalRecord[] = sampleRun({ end: false }).concat(
  link(5000, 'DISCONNECTED', 1),
  link(6500, 'CONNECTED', 2),
  link(7000, 'DISCONNECTED', 2),
  link(7100, 'CONNECTED', 3),
);

interface AgentJson {
  readonly id: string;
  readonly reconnects: number;
  readonly link_metrics: Readonly<Record<string, unknown>> | null;
  readonly clock: readonly Readonly<Record<string, unknown>>[];
}

function agentsOf(records: readonly JournalRecord[]): readonly AgentJson[] {
  const manifest = new Manifest();
  // As `report` has them: from the journal.
  for (const record of records) manifest.accept(decodeRecord(encodeRecord(record)));
  return (JSON.parse(manifest.toJson()) as { agents: readonly AgentJson[] }).agents;
}

const report = linkReport(
  {
    ...metrics,
    sent: { interval: { messages: 6, bytes: 6000 }, intervals: { messages: 1, bytes: 300 } },
    dropped: { heartbeat: 3 },
    resent: 2,
    intervalsMerged: 5,
    intervalsDropped: 1,
  },
  { checkpoints: 4, checkpointBytes: 70_000 },
);

test("[LINK-12] run.json has the agent's own count beside the controller's; the last one that came counts", () => {
  const older = linkReport(metrics, { checkpoints: 0, checkpointBytes: 0 });
  const [first, second] = agentsOf([
    ...disturbed,
    at(8000, { type: 'linkReport', agent: 1, report: older }),
    at(9000, { type: 'linkMetrics', agent: 1, metrics }),
    at(9000, { type: 'linkMetrics', agent: 0, metrics }),
    at(9500, { type: 'linkReport', agent: 1, report }),
  ]);
  assert.equal(first?.link_metrics?.['agent'], null, 'it has not reported');
  const { agent, ...ours } = second?.link_metrics ?? {};
  assert.deepEqual(ours['received'], metrics.received);
  assert.deepEqual(agent, {
    sent: { interval: { messages: 6, bytes: 6000 }, intervals: { messages: 1, bytes: 300 } },
    received: metrics.received,
    dropped: { heartbeat: 3 },
    latency_ms: { samples: 4, mean: 1.5, max: 3 },
    streams: 3,
    invalid: 4,
    unknown_kinds: 0,
    gaps: 0,
    naks_sent: 0,
    naks_received: 0,
    resent: 2,
    duplicates: 0,
    out_of_order: 0,
    stale: 0,
    retries: 7,
    backlogs: 1,
    compression_ratio: 3,
    intervals_merged: 5,
    intervals_dropped: 1,
    checkpoints: 4,
    checkpoint_bytes: 70_000,
  });
});

test('[LINK-03] run.json has every round trip that was measured, with when and what it says of the clocks', () => {
  const probe = (atMs: number, roundTripNs: number): JournalRecord => {
    const clock = { offsetNs: 5n, boundNs: roundTripNs / 2, roundTripNs, wallOffsetMs: 3 };
    return at(atMs, { type: 'clock', agent: 1, clock });
  };
  const before = agentsOf(disturbed)[1]?.clock.length ?? 0;
  const [, second] = agentsOf([...disturbed, probe(30_000, 2e6), probe(60_000, 8e6)]);
  const history = second?.clock.slice(before) ?? [];
  assert.deepEqual(
    history.map(({ round_trip_ns: ns }) => ns),
    [2e6, 8e6],
  );
  const { at_ms: atMs, ...rest } = history[1] ?? {};
  assert.equal(Number(atMs) - Number(history[0]?.['at_ms']), 30_000);
  assert.deepEqual(rest, {
    offset_ns: '5',
    bound_ns: 4e6,
    round_trip_ns: 8e6,
    wall_offset_ms: 3,
  });
});

test('[LINK-12] what an agent reports of its link is recorded, and moves nothing', () => {
  const fleet = new ScriptedFleet(fleetPlan(1)).start().advance(3000);
  fleet.says(0, { kind: 'linkReport', ...report });
  assert.deepEqual(fleet.records('linkReport'), [{ type: 'linkReport', agent: 0, report }]);
});

test('[LINK-12] each agent is counted once in thirty seconds, not all at once, and all of them when asked', () => {
  const clock = new ManualClock();
  const recorded: RunRecord[] = [];
  const asked: number[] = [];
  const counts = new LinkCounts({
    ...{ clock, agents: 32 },
    metrics: (agent) => {
      asked.push(agent);
      return metrics;
    },
    record: (entry) => recorded.push(entry),
  });
  clock.advance(1000);
  assert.deepEqual(asked, [0, 30]);
  clock.advance(1000);
  assert.deepEqual(asked.splice(0), [0, 30, 1, 31]);
  clock.advance(28_000);
  assert.equal(asked.splice(0).length, 28);
  clock.advance(30_000);
  assert.equal(new Set(asked.splice(0)).size, 32);
  counts.stop();
  assert.equal(clock.armed, 0);
  counts.recordAll();
  assert.equal(asked.length, 32);
  assert.deepEqual(recorded.at(-1), { type: 'linkMetrics', agent: 31, metrics });
});

test('[LINK-12] run.json tells per agent what went over its link, and how long it was down', () => {
  const told = at(9000, { type: 'linkMetrics', agent: 1, metrics });
  const [first, second] = agentsOf([...disturbed, told]);
  assert.equal(first?.link_metrics, null, 'not known yet');
  assert.equal(second?.reconnects, 2);
  const { sent, received, dropped, outages_ms, latency_ms, ...rest } = second.link_metrics ?? {};
  assert.deepEqual([sent, received, dropped], [metrics.sent, metrics.received, metrics.dropped]);
  assert.deepEqual(outages_ms, [1500, 100]);
  assert.deepEqual(latency_ms, { samples: 4, mean: 1.5, max: 3 });
  assert.deepEqual(
    [rest['streams'], rest['invalid'], rest['retries'], rest['compression_ratio']],
    [3, 4, 7, 3],
  );
});

test('[RUN-07] an agent that hung and came back is told in run.json and in the summary, apart from a broken link', () => {
  const hung = (atMs: number, to: 'HUNG' | 'CONNECTED', silentMs?: number): JournalRecord => {
    const record = { type: 'link', agent: 1, to, generation: 1, reason: '' } as const;
    return at(atMs, silentMs === undefined ? record : { ...record, silentMs });
  };
  const records = [
    ...sampleRun({ end: false }),
    // It was silent for 4 s before it was called hung.
    hung(5000, 'HUNG'),
    hung(7000, 'CONNECTED', 6000.4),
    // It had gone on sending heartbeats: how long it was hung is all that is known.
    hung(8000, 'HUNG'),
    hung(8500, 'CONNECTED', 30),
    at(9000, { type: 'linkMetrics', agent: 1, metrics }),
  ];
  const [, second] = agentsOf(records);
  assert.deepEqual(second?.link_metrics?.['hangs_ms'], [6000, 500]);
  assert.deepEqual(second.link_metrics['outages_ms'], []);
  const aggregate = new Aggregate();
  for (const record of records) aggregate.accept(record);
  const told = aggregate.summary().warnings.filter((line) => /hung|link broke/.test(line));
  assert.deepEqual(told, ['agent agent-2: it hung 2 times and did not respond for 6500 ms']);
});

test('[LINK-12] the summary warns of a link that broke', () => {
  const aggregate = new Aggregate();
  for (const record of disturbed) aggregate.accept(record);
  const broken = aggregate.summary().warnings.filter((line) => line.includes('link broke'));
  assert.deepEqual(broken, ['agent agent-2: its link broke 2 times and was down for 1600 ms']);
});

test('[LINK-03] [LINK-12] every round trip of a run and its longest is counted', () => {
  const fleet = new ScriptedFleet(fleetPlan(1)).start().advance(3000);
  const { latencies } = fleet.run.sessions[0]!.lookout.contact;
  assert.ok(latencies.samples >= 16, 'the probes of the first burst');
  fleet.sleep(700);
  fleet.says(0, { kind: 'pong', id: 999 });
  assert.deepEqual(
    fleet.run.sessions[0]!.lookout.contact.latencies,
    latencies,
    'of no ping of ours',
  );
});
