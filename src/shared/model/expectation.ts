/**
 * Thresholds (`expect:`): `<stage>.<operation>.<metric> <comparison> <value>`, or `<stage>.<metric> …` for the whole
 * stage. Metrics are the fields of summary.json (design 5 §4): service|response with mean … max, count, errors,
 * missed_schedules, unissued_schedules, per_second, bytes_per_second.
 */
import { operationKinds } from './operation.js';
import { parseCount, parseDecimal, parseDurationNs, parseSize } from './units.js';
import type { Expectation } from './plan.js';
import type { Parsed } from './units.js';

const statistics = ['mean', 'p50', 'p90', 'p99', 'p99_9', 'max'] as const;
const latencies: readonly string[] = ['service', 'response'].flatMap((kind) =>
  statistics.map((statistic) => `${kind}.${statistic}`),
);
/** The metrics that also add up over the operations of a stage. */
const totals: readonly string[] = [
  'count',
  'errors',
  'missed_schedules',
  'unissued_schedules',
  'per_second',
  'bytes_per_second',
];

export const metrics: readonly string[] = [...latencies, ...totals];

const shape = /^([^\s.]+)\.(\S+?)\s*(<=|>=|==|!=|<|>)\s*(\S.*)$/;

export function parseExpectation(text: string): Expectation | { readonly problem: string } {
  const match = shape.exec(text.trim());
  if (match === null) {
    if (/[^<>=!]=\s*[^=\s]+$|=[<>]|<>/.test(text)) {
      return {
        problem: `"${text}": there is no such comparison; there are <, <=, >, >=, == and !=`,
      };
    }
    return {
      problem: `"${text}" is not a threshold; write it like rand-read.read.response.p99 < 5ms`,
    };
  }
  const [, stage = '', rest = '', comparison = '', written = ''] = match;
  const [first = '', ...others] = rest.split('.');
  const operation = operationKinds.find((kind) => kind === first);
  // p99.9 is how people write it; the file calls it p99_9.
  const metric = (operation === undefined ? rest : others.join('.')).replace(/p99\.9$/, 'p99_9');
  if (operation === undefined && !totals.includes(metric))
    return { problem: unknownMetric(text, metric, totals) };
  if (!metrics.includes(metric)) return { problem: unknownMetric(text, metric, metrics) };
  const value = parseValue(metric, written);
  if ('problem' in value) return { problem: `"${text}": ${value.problem}` };
  return {
    text: text.trim(),
    stage,
    operation,
    metric,
    comparison: comparison as Expectation['comparison'],
    value: value.value,
  };
}

function unknownMetric(text: string, metric: string, known: readonly string[]): string {
  if (latencies.includes(metric)) {
    return `"${text}": a latency belongs to one operation; write <stage>.<operation>.${metric}`;
  }
  const statistic = latencies.includes(`service.${metric}`);
  if (statistic) {
    const of = known === totals ? '<stage>.<operation>.' : '';
    return `"${text}": ${metric} of what? Write ${of}service.${metric} or ${of}response.${metric}`;
  }
  const operation = known === totals ? ', or an operation before it' : '';
  return `"${text}": no metric "${metric}"; there is ${known.join(', ')}${operation}`;
}

function parseValue(metric: string, text: string): Parsed {
  if (latencies.includes(metric)) return parseDurationNs(text);
  const perSecond = text.replace(/\s*\/\s*s$/, '');
  if (metric === 'bytes_per_second') return parseSize(perSecond);
  return metric === 'per_second' ? parseDecimal(perSecond) : parseCount(text);
}

/** Whether the measured value meets the threshold. Nothing measured (no such operation was done) never does. */
export function evaluate(expectation: Expectation, measured: number | undefined): boolean {
  if (measured === undefined || Number.isNaN(measured)) return false;
  switch (expectation.comparison) {
    case '<':
      return measured < expectation.value;
    case '<=':
      return measured <= expectation.value;
    case '>':
      return measured > expectation.value;
    case '>=':
      return measured >= expectation.value;
    case '==':
      return measured === expectation.value;
    case '!=':
      return measured !== expectation.value;
  }
}
