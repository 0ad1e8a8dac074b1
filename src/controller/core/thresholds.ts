import { evaluate } from '../../shared/model/expectation.js';
import type { Expectation } from '../../shared/model/plan.js';
import type { LatencySummary } from './latency.js';
import type { ExpectationResult, RunOperationNumbers, StageSummary } from './summary.js';

/** What each `expect:` of the plan measured, and whether it held. Nothing measured never does. */
export function checkExpectations(
  expectations: readonly Expectation[],
  stages: readonly StageSummary[],
): readonly ExpectationResult[] {
  return expectations.map((expectation) => {
    const stage = stages.find(({ name }) => name === expectation.stage);
    const measured = stage && measure(expectation, stage);
    return {
      text: expectation.text,
      measured: measured ?? null,
      passed: evaluate(expectation, measured),
    };
  });
}

function measure(expectation: Expectation, stage: StageSummary): number | undefined {
  if (stage.agents_started === 0) return undefined;
  const { operation, metric } = expectation;
  if (operation !== undefined) {
    const numbers = stage.operations[operation];
    return numbers && metricOf(numbers, metric);
  }
  const parts = Object.values(stage.operations).map((numbers) => metricOf(numbers, metric));
  return parts.reduce((sum, part) => (sum ?? 0) + (part ?? 0), undefined);
}

function metricOf(numbers: RunOperationNumbers, metric: string): number | undefined {
  const [kind, statistic = ''] = metric.split('.');
  switch (kind) {
    case 'count':
    case 'errors':
    case 'missed_schedules':
    case 'unissued_schedules':
    case 'per_second':
    case 'bytes_per_second':
      return numbers[kind];
    case 'service':
      return numbers.service_ns?.[statistic as keyof LatencySummary];
    case 'response':
      return numbers.response_ns?.[statistic as keyof LatencySummary];
    default:
      return undefined;
  }
}
