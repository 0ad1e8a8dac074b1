import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import { Manifest } from '../../../../src/controller/core/manifest.js';
import type { AgentLinkMetrics, JournalRecord } from '../../../../src/controller/core/records.js';
import { decodeRecord, encodeRecord } from '../../../../src/controller/shell/journal-codec.js';
import { noTraffic } from '../../../../src/shared/wire/link-metrics.js';
import { at, sampleRun } from '../../../support/recorded-run.js';
import { fleetPlan, ScriptedFleet } from '../../../support/scripted-fleet.js';

const metrics: AgentLinkMetrics = {
  ...noTraffic(),
  sent: { lease: { messages: 30, bytes: 900 } },
  received: { interval: { messages: 5, bytes: 5000 }, heartbeat: { messages: 9, bytes: 700 } },
  dropped: { lease: 2 },
  streams: 3,
  invalid: 4,
  retries: 7,
  backlogs: 1,
  payloadBytes: 9000,
  packedBytes: 3000,
  latency: { samples: 4, meanMs: 1.5, maxMs: 3 },
};

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
}

function agentsOf(records: readonly JournalRecord[]): readonly AgentJson[] {
  const manifest = new Manifest();
  // As `report` has them: from the journal.
  for (const record of records) manifest.accept(decodeRecord(encodeRecord(record)));
  return (JSON.parse(manifest.toJson()) as { agents: readonly AgentJson[] }).agents;
}

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
