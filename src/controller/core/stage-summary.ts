import { Histogram } from '../../shared/metrics/histogram.js';
import type { OperationKind } from '../../shared/model/operation.js';
import { doneSeconds } from './agent-outcome.js';
import { latencyOf } from './latency.js';
import type { OperationTotals } from './operation-totals.js';
import type { Pieces } from './pieces.js';
import { StageRates } from './stage-rates.js';
import type { Rate } from './stage-rates.js';
import type { AgentTrack, StageMember, StageTrack } from './stage-track.js';
import { rateSummary } from './rate-summary.js';
import { warmupSummary } from './warmup-summary.js';
import { workloadText } from './workload-text.js';
import { startSpread } from './start-spread.js';
import type {
  AgentStageSummary,
  OperationNumbers,
  RunOperationNumbers,
  StageSummary,
  SyncNumbers,
} from './summary.js';

export function* summarizeStage(
  track: StageTrack,
  agents: readonly AgentTrack[],
): Pieces<StageSummary> {
  const members = track.members(agents);
  const completed = members.filter(({ state }) => state === 'COMPLETED');
  const rates = yield* StageRates.over(members, track.plan);
  const survivors =
    completed.length === members.length ? rates : yield* StageRates.over(completed, track.plan);
  const operations = track.operations;
  const numbers: [string, RunOperationNumbers][] = [];
  for (const operation of operations) {
    yield;
    const survived = completed.length > 0 ? survivors : undefined;
    numbers.push([operation, runNumbers(operation, members, rates, survived)]);
  }
  const count = members.reduce((sum, { stage }) => sum + stage.count, 0);
  const own: [string, AgentStageSummary][] = [];
  for (const agent of agents) {
    yield;
    const member = members.find((one) => one.agent === agent);
    own.push([agent.plan.id, agentSummary(agent, member, track, count, rates)]);
  }
  const starts = members.flatMap(({ stage }) => (stage.start ? [stage.start] : []));
  return {
    name: track.plan.name,
    workload: workloadText(
      track.plan,
      agents.map(({ plan }) => plan),
    ),
    agents_started: members.length,
    agents_completed: completed.length,
    start: startSpread(starts, track.plan.fio === undefined ? 'first_operation' : 'release'),
    first_done_s: rounded(rates.firstDoneS),
    last_done_s: rounded(rates.lastDoneS),
    straggler: straggler(members, track),
    rate_seconds: rates.seconds,
    warmup: warmupSummary(track),
    rate: rateSummary(track, agents, operations, rates),
    syncs: syncNumbers(members),
    operations: Object.fromEntries(numbers),
    agents: Object.fromEntries(own),
  };
}

function runNumbers(
  operation: OperationKind,
  members: readonly StageMember[],
  rates: StageRates,
  survivors: StageRates | undefined,
): RunOperationNumbers {
  const parts = members.flatMap(({ stage }) => stage.totals.get(operation) ?? []);
  const failed = merged(parts.map((totals) => totals.failed));
  const survived = survivors?.all(operation);
  const total = rates.total(operation);
  const numbers = numbersOf(parts, rates.all(operation));
  return {
    ...numbers,
    survivors_per_second: survived ? rate(survived.count) : null,
    survivors_bytes_per_second: survived ? rate(survived.bytes) : null,
    total_per_second: rate(total.count),
    total_bytes_per_second: rate(total.bytes),
    failed_ns: latencyOf(failed),
  };
}

function numbersOf(parts: readonly OperationTotals[], perSecond: Rate): OperationNumbers {
  const codes = new Map<string, number>();
  for (const totals of parts) {
    for (const [code, count] of totals.errors) codes.set(code, (codes.get(code) ?? 0) + count);
  }
  const service = latencyOf(merged(parts.map((totals) => totals.service)));
  const response = latencyOf(merged(parts.map((totals) => totals.response)));
  const sum = (pick: (totals: OperationTotals) => number): number =>
    parts.reduce((total, totals) => total + pick(totals), 0);
  return {
    count: sum((totals) => totals.count),
    bytes: sum((totals) => totals.bytes),
    errors: sum((totals) => totals.errorCount),
    error_codes: Object.fromEntries([...codes].sort(([a], [b]) => (a < b ? -1 : 1))),
    missed_schedules: sum((totals) => totals.missedSchedules),
    unissued_schedules: sum((totals) => totals.unissuedSchedules),
    per_second: rate(perSecond.count),
    bytes_per_second: rate(perSecond.bytes),
    service_ns: service,
    // Closed loop records no responses: they are the same.
    response_ns: response ?? service,
  };
}

function agentSummary(
  agent: AgentTrack,
  member: StageMember | undefined,
  track: StageTrack,
  all: number,
  rates: StageRates,
): AgentStageSummary {
  const stage = member?.stage;
  return {
    state: track.stateOf(agent),
    ended_by: stage?.result?.endedBy ?? null,
    start_lateness_ns: stage?.start?.latenessNs ?? null,
    start_bound_ns: stage?.start?.boundNs ?? null,
    done_s: rounded(stage && doneSeconds(stage, track.plan)),
    share: all === 0 ? 0 : Math.round(((stage?.count ?? 0) / all) * 1e6) / 1e6,
    reported_seconds: stage?.held.seconds ?? 0,
    missing_seconds: stage?.missingSeconds ?? 0,
    abandoned: stage?.result?.abandoned ?? 0,
    mechanism: stage?.result?.mechanism ?? null,
    host_cpu: Math.round((stage?.cpu.host ?? 0) * 1e4) / 1e4,
    runner_cpu: Math.round((stage?.cpu.runner ?? 0) * 1e4) / 1e4,
    busiest_thread_cpu: Math.round((stage?.cpu.busiestThread ?? 0) * 1e4) / 1e4,
    standstill_ms: stage?.cpu.standstillMs ?? 0,
    syncs: member ? syncNumbers([member]) : null,
    operations: Object.fromEntries(
      track.operations.flatMap((operation) => {
        const totals = stage?.totals.get(operation);
        if (!member || !totals) return [];
        return [[operation, numbersOf([totals], rates.of(member, operation))]];
      }),
    ),
  };
}

function syncNumbers(members: readonly StageMember[]): SyncNumbers | null {
  const results = members.flatMap(({ stage }) => stage.result ?? []);
  const syncs = results.map((result) => Histogram.decode(result.syncs));
  const all = merged(syncs);
  const latency = latencyOf(all);
  return latency && { count: all.count, service_ns: latency };
}

function straggler(members: readonly StageMember[], track: StageTrack): string | null {
  const finished = members
    .map((member) => ({ id: member.agent.plan.id, done: doneSeconds(member.stage, track.plan) }))
    .filter((one): one is { id: string; done: number } => one.done !== undefined);
  if (finished.length < 2) return null;
  return finished.reduce((last, one) => (one.done > last.done ? one : last)).id;
}

function merged(histograms: readonly Histogram[]): Histogram {
  const [only] = histograms;
  if (only && histograms.length === 1) return only;
  const sum = new Histogram();
  for (const histogram of histograms) sum.merge(histogram);
  return sum;
}

function rate(perSecond: number): number {
  return Math.round(perSecond * 1000) / 1000;
}

function rounded(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.round(seconds * 1e6) / 1e6;
}
