import { Histogram } from '../../shared/metrics/histogram.js';
import type { EndedBy, OperationStats, StageResult } from '../../shared/model/messages.js';
import type { OperationKind } from '../../shared/model/operation.js';
import type { AgentStage } from './agent-stage.js';
import { latencyOf } from './latency.js';
import type { LatencySummary } from './latency.js';
import type { StageTrack } from './stage-track.js';

/** What was done before the measured part, of the agents that gave a final report. */
export interface WarmupSummary {
  /** As planned. */
  readonly seconds: number;
  /** False: an agent was stopped in it or before, so how long it lasted is not known, and there are no rates. */
  readonly complete: boolean;
  readonly operations: Readonly<Record<string, WarmupNumbers>>;
}

export interface WarmupNumbers {
  readonly count: number;
  readonly bytes: number;
  readonly errors: number;
  /** count ÷ seconds; null when it was not complete. */
  readonly per_second: number | null;
  readonly service_ns: LatencySummary | null;
}

export function warmupSummary(track: StageTrack): WarmupSummary | null {
  const seconds = track.plan.warmupMs / 1000;
  if (seconds === 0) return null;
  const agents = [...track.agents.values()];
  const results = agents.flatMap(({ result }) => result ?? []);
  const parts = results.flatMap(({ warmup }) => warmup);
  const complete = !results.some(isCut) && agents.some(isBeyond);
  const kinds = track.operations.filter((kind) => parts.some((part) => part.operation === kind));
  const entries = kinds.map(
    (kind) => [kind, numbersOf(kind, parts, complete ? seconds : undefined)] as const,
  );
  return { seconds, complete, operations: Object.fromEntries(entries) };
}

/** Stopped before second 0. */
function isCut({ endedBy, intervals }: StageResult): boolean {
  return intervals === 0 && cutBy.has(endedBy);
}
const cutBy: ReadonlySet<EndedBy> = new Set(['aborted', 'killed', 'error']);

/** Known to have come to second 0. */
function isBeyond({ result, held }: AgentStage): boolean {
  return held.end > 0 || (result !== undefined && !isCut(result));
}

function numbersOf(
  kind: OperationKind,
  parts: readonly OperationStats[],
  seconds: number | undefined,
): WarmupNumbers {
  const own = parts.filter(({ operation }) => operation === kind);
  const service = new Histogram();
  for (const part of own) service.add(part.service);
  const sum = (pick: (part: OperationStats) => number): number =>
    own.reduce((total, part) => total + pick(part), 0);
  const count = sum((part) => part.count);
  return {
    count,
    bytes: sum((part) => part.bytes),
    errors: sum(({ errors }) => errors.reduce((total, error) => total + error.count, 0)),
    per_second: seconds === undefined ? null : Math.round((count / seconds) * 1000) / 1000,
    service_ns: latencyOf(service),
  };
}
