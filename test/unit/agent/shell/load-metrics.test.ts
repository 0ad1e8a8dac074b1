import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadMetrics } from '../../../../src/agent/shell/metrics/load-metrics.js';
import { RecordedAgent } from '../../../support/recorded-run.js';

const facts = { id: 'a', version: '1', hostname: 'h', state: 'IDLE', residentBytes: 5 };
const latencies = (count: number): number[] => Array.from({ length: count }, () => 1000);

function valueOf(metrics: LoadMetrics, line: string): number | undefined {
  const found = metrics
    .text(facts)
    .split('\n')
    .find((text) => text.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length));
}

test('[CLI-01] metrics add up over intervals, the final result, stages and workload processes', () => {
  const metrics = new LoadMetrics();
  const reads = 'muster_operations_total{operation="read"}';
  assert.equal(valueOf(metrics, reads), undefined);
  for (const [runner, stage] of [
    [1, 0],
    [1, 1],
    [2, 0],
  ] as const) {
    const agent = new RecordedAgent(stage, 4096);
    const second = (): void => {
      const work = { read: { latenciesNs: latencies(10), errors: { EIO: 2 }, missed: 3 } };
      metrics.accept(runner, { kind: 'interval', ...agent.interval(work) });
    };
    second();
    second();
    assert.equal(valueOf(metrics, 'muster_operations_in_flight'), 2);
    agent.interval({ read: { latenciesNs: latencies(5) } });
    metrics.accept(runner, { kind: 'stageResult', ...agent.result('duration', 2) });
    assert.equal(valueOf(metrics, 'muster_operations_in_flight'), 0);
  }
  assert.equal(valueOf(metrics, reads), 75);
  assert.equal(valueOf(metrics, 'muster_bytes_total{operation="read"}'), 75 * 4096);
  assert.equal(valueOf(metrics, 'muster_errors_total{operation="read",code="EIO"}'), 12);
  assert.equal(valueOf(metrics, 'muster_missed_schedules_total{operation="read"}'), 18);
});

test('[CLI-01] every metric has its help and type, and ends in a line', () => {
  const lines = new LoadMetrics().text(facts).split('\n');
  assert.equal(lines.at(-1), '');
  const named = (prefix: string): string[] =>
    lines.filter((line) => line.startsWith(prefix)).map((line) => line.split(' ')[2] ?? '');
  assert.deepEqual(named('# HELP'), named('# TYPE'));
  assert.ok(lines.includes('muster_agent_resident_bytes 5'));
});
