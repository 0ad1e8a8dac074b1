/**
 * summary.json, schema 1: the part others build on (docs/results.md). Fields may be added, never renamed or removed.
 * Latencies are nanoseconds, rates per second, null means "there is no such number", never zero.
 */
import type { ExitCode, Outcome } from '../../shared/model/outcome.js';
import type { AgentStageState } from './agent-outcome.js';
import type { LatencySummary } from './latency.js';
import type { PrepareSummary } from './prepare-summary.js';
import type { RateSummary } from './rate-summary.js';
import type { WarmupSummary } from './warmup-summary.js';
import type { Bottleneck } from './cpu-use.js';
import type { StartSpread } from './start-spread.js';

export interface OperationNumbers {
  /** Completed without error. */
  readonly count: number;
  readonly bytes: number;
  readonly errors: number;
  readonly error_codes: Readonly<Record<string, number>>;
  /** Open loop: operations that were due while the one before was in flight, and those never issued. */
  readonly missed_schedules: number;
  /** Of them, those that were due and not issued when the stage ended. */
  readonly unissued_schedules: number;
  /** Headline rate (3-measurement §5). */
  readonly per_second: number;
  readonly bytes_per_second: number;
  readonly service_ns: LatencySummary | null;
  readonly response_ns: LatencySummary | null;
}

export interface RunOperationNumbers extends OperationNumbers {
  /** The headline rate over the agents that completed the stage; null when none did. */
  readonly survivors_per_second: number | null;
  readonly survivors_bytes_per_second: number | null;
  /** count ÷ last done. */
  readonly total_per_second: number;
  readonly total_bytes_per_second: number;
  /** Latency of the operations that failed. */
  readonly failed_ns: LatencySummary | null;
}

/** Syncs that are no part of a write's latency: of stages that fio runs. */
export interface SyncNumbers {
  readonly count: number;
  readonly service_ns: LatencySummary;
}

export interface AgentStageSummary {
  readonly state: AgentStageState;
  /** duration | operations | bytes | exhausted | aborted | killed | drained | error; null without a final report. */
  readonly ended_by: string | null;
  readonly start_lateness_ns: number | null;
  readonly start_bound_ns: number | null;
  readonly done_s: number | null;
  /** Of the stage's operations, 0 … 1. */
  readonly share: number;
  readonly reported_seconds: number;
  readonly missing_seconds: number;
  /** Operations in flight when the workload process was killed. */
  readonly abandoned: number;
  readonly mechanism: string | null;
  /** Mean share of the host's CPUs, 0 … 1, and CPU seconds per second of the workload process. */
  readonly host_cpu: number;
  readonly runner_cpu: number;
  /** Mean share of the time that the workload's busiest thread was on a CPU, 0 … 1. */
  readonly busiest_thread_cpu: number;
  /** The longest that the event loop of the workload process was held up: stopped, or without a CPU. */
  readonly standstill_ms: number;
  /** Null when there were none, or they are in the latencies of the writes. */
  readonly syncs: SyncNumbers | null;
  readonly operations: Readonly<Record<string, OperationNumbers>>;
}

export interface StageSummary {
  readonly name: string;
  /** As in a config, in one line. */
  readonly workload: string;
  readonly agents_started: number;
  readonly agents_completed: number;
  readonly start: StartSpread | null;
  readonly first_done_s: number | null;
  readonly last_done_s: number | null;
  /** Who was last; null with fewer than two that finished. */
  readonly straggler: string | null;
  /** Seconds the headline rate is formed over; 0: it is count ÷ last done. */
  readonly rate_seconds: number;
  /** Null without one. */
  readonly warmup: WarmupSummary | null;
  /** Open loop: what was asked for and what came of it; null in closed loop. */
  readonly rate: RateSummary | null;
  /** Null when there were none, or they are in the latencies of the writes. */
  readonly syncs: SyncNumbers | null;
  readonly operations: Readonly<Record<string, RunOperationNumbers>>;
  readonly agents: Readonly<Record<string, AgentStageSummary>>;
}

export interface ExpectationResult {
  readonly text: string;
  readonly measured: number | null;
  readonly passed: boolean;
}

export interface GeneratorBound {
  readonly stage: string;
  readonly agent: string;
  readonly host_cpu: number;
  readonly runner_cpu: number;
  readonly bottleneck: Bottleneck;
}

export interface Coverage {
  readonly agents_planned: number;
  readonly agents_completed: number;
  /** Agent-seconds in these numbers ÷ agent-seconds planned, 0 … 1. Null: a stage has no duration, and nobody finished it. */
  readonly host_seconds_ratio: number | null;
}

export interface Summary {
  readonly schema: 1;
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly exit_code: ExitCode;
  /** Too few agents lived to the end for the numbers to stand for the fleet. */
  readonly representative: boolean;
  readonly run: {
    readonly id: string;
    readonly name: string;
    readonly mode: 'run' | 'prepare' | 'cleanup';
    readonly version: string;
    readonly seed: number;
    readonly started_unix_ms: number;
    readonly elapsed_s: number;
  };
  /** Null: no agent has told that its part of a dataset is there. */
  readonly prepare: PrepareSummary | null;
  readonly coverage: Coverage;
  readonly stages: readonly StageSummary[];
  readonly expectations: readonly ExpectationResult[];
  readonly measurement: {
    readonly generator_bound: readonly GeneratorBound[];
    /** Groups of agents that run on one host. */
    readonly same_host: readonly (readonly string[])[];
    /** Agent-seconds of which no interval arrived; their operations are in the totals. */
    readonly missing_intervals: number;
    /** Intervals counted in the totals only, because the controller could not keep up. */
    readonly dropped_live: number;
    /** Intervals that came twice and were counted once. */
    readonly duplicate_intervals: number;
    /** The longest the controller's own loop was late. */
    readonly controller_late_ms: number;
  };
  readonly warnings: readonly string[];
}
