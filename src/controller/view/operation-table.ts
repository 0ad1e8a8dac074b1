import type { LatencySummary } from '../core/latency.js';
import type { RunOperationNumbers, StageSummary } from '../core/summary.js';
import { bytes, count, duration, rate } from './format.js';
import { stacked, table, tablesWithin, wrap } from './table.js';
import { nounFor } from '../../shared/kernel/counted.js';

const rateHeader = ['operation', 'ops', 'ops/s', 'bytes/s', 'errors'];
const latencyHeader = ['mean', 'p50', 'p90', 'p99', 'p99.9', 'max'];

interface LatencyRow {
  /** '' where response and service are the same. */
  readonly kind: '' | 'response' | 'service';
  readonly cells: readonly string[];
}

/** Rates and latencies side by side where the width allows it, else one table below the other. */
export function operationTable(stage: StageSummary, width: number): readonly string[] {
  const operations = Object.entries(stage.operations);
  const latencies = new Map(operations.map(([name, numbers]) => [name, latencyRows(numbers)]));
  const open = [...latencies.values()].some((rows) => rows.length > 1);
  const kindHeader = open ? ['latency'] : [];
  const wide = [[...rateHeader, ...kindHeader, ...latencyHeader]];
  for (const [name, numbers] of operations) {
    for (const [index, { kind, cells }] of (latencies.get(name) ?? []).entries()) {
      const rates = index === 0 ? rateCells(name, numbers) : rateHeader.map(() => '');
      wide.push([...rates, ...(open ? [kind] : []), ...cells]);
    }
  }
  const lines = table(wide);
  if (lines.every((line) => line.length <= width)) return lines;
  const detail = [
    ['latency', ...latencyHeader],
    ...[...latencies].flatMap(([name, rows]) =>
      rows.map(({ kind, cells }) => [`${name} ${kind}`.trimEnd(), ...cells]),
    ),
  ];
  const rates = [rateHeader, ...operations.map(([name, numbers]) => rateCells(name, numbers))];
  return stacked([...tablesWithin(width, rates), ...tablesWithin(width, detail)]);
}

/** One line: as a row of the table they would be taken for operations of the mix. */
export function syncLines({ syncs }: StageSummary, width: number): readonly string[] {
  if (syncs === null) return [];
  const { mean, p50, p90, p99, p99_9, max } = syncs.service_ns;
  const facts = { mean, p50, p90, p99, 'p99.9': p99_9, max };
  const latencies = Object.entries(facts).map(([name, ns]) => `${name} ${duration(ns)}`);
  const text = `${count(syncs.count)} ${nounFor(syncs.count, 'sync')}, which fio times apart from the writes: ${latencies.join(', ')}`;
  return wrap(text, width);
}

function rateCells(name: string, numbers: RunOperationNumbers): readonly string[] {
  return [
    name,
    count(numbers.count),
    rate(numbers.per_second),
    `${bytes(numbers.bytes_per_second)}/s`,
    count(numbers.errors),
  ];
}

function latencyRows(numbers: RunOperationNumbers): readonly LatencyRow[] {
  const service = latencyCells(numbers.service_ns);
  const response = latencyCells(numbers.response_ns);
  if (response.join() === service.join()) return [{ kind: '', cells: service }];
  return [
    { kind: 'response', cells: response },
    { kind: 'service', cells: service },
  ];
}

function latencyCells(latency: LatencySummary | null): readonly string[] {
  if (latency === null) return latencyHeader.map(() => '-');
  const { mean, p50, p90, p99, p99_9, max } = latency;
  return [mean, p50, p90, p99, p99_9, max].map(duration);
}
