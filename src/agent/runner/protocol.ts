/**
 * What the agent's control process and the runner (its child process) say to each other over the IPC channel
 * (serialization: 'advanced', so bigint and Uint8Array pass as they are). The same types are the agent core's runner
 * effects and inputs, so the simulator can stand in for a runner.
 */
import type { Assignment } from '../../shared/model/assignment.js';
import type {
  AgentErrorCode,
  Interval,
  Prepared,
  Progress,
  StageResult,
} from '../../shared/model/messages.js';
import type { Consent } from '../core/given-guard.js';
import type { LogLevel } from '../../shared/kernel/log.js';

/** Control to runner. */
export type RunnerCommand =
  /** First command after the fork. Checks, prepares or cleans, as the assignment's mode says. `roots`: where targets may lie. */
  | {
      readonly kind: 'prepare';
      readonly assignment: Assignment;
      readonly roots: readonly string[];
      /** None when it is left out. */
      readonly consent?: Consent;
    }
  /** Begin stage at atNs (CLOCK_MONOTONIC) provided `go` with the same epoch comes before. A higher epoch replaces a lower one.
   * While an earlier stage waits for its start: leave out the stages before this one, and get ready for this one. */
  | {
      readonly kind: 'arm';
      readonly stage: number;
      readonly epoch: number;
      readonly atNs: bigint;
    }
  | { readonly kind: 'go'; readonly stage: number; readonly epoch: number }
  /** The part of every rate that is this agent's from now on: number `index` of `count` equal ones. */
  | { readonly kind: 'share'; readonly index: number; readonly count: number }
  /** Stop issuing at once, sample, report; operations in flight get graceMs (control kills the runner after that). */
  | { readonly kind: 'abort'; readonly reason: string; readonly graceMs: number }
  /** Stages that have not begun are left out. */
  | { readonly kind: 'cleanup' }
  /** Past this instant (CLOCK_MONOTONIC) without a later one the runner stops its load and exits. */
  | { readonly kind: 'lease'; readonly untilNs: bigint }
  /** The run is over: exit 0. */
  | { readonly kind: 'quit' };

/** How the load is at the moment. */
export interface LoadFigures {
  readonly operations: number;
  readonly inFlight: number;
  readonly oldestInFlightNs: number;
  /** Threads that are on a CPU or wait for one, in the drain and while no operation completes. */
  readonly runnableThreads?: number;
}

/** Runner to control. */
export type RunnerEvent =
  | ({ readonly kind: 'progress' } & Progress)
  /** Where the run's data lies: JSON of TargetFacts. */
  | { readonly kind: 'target'; readonly facts: string }
  /** The dataset's folder has its marker; with `prepared`, this agent's part is there. */
  | { readonly kind: 'marked'; readonly prepared?: Prepared }
  /** Dataset ready (run mode: also the stage's workers are spawned, warm and waiting). */
  | { readonly kind: 'ready'; readonly stage: number }
  | { readonly kind: 'armed'; readonly stage: number; readonly epoch: number }
  | {
      readonly kind: 'missed';
      readonly stage: number;
      readonly epoch: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'started';
      readonly stage: number;
      readonly epoch: number;
      readonly firstOperationNs: bigint;
      readonly atNs: bigint;
    }
  | ({ readonly kind: 'interval' } & Interval)
  /** The stage's limits are reached; operations in flight are awaited. */
  | { readonly kind: 'draining'; readonly stage: number }
  | ({ readonly kind: 'stageResult' } & StageResult)
  /** Mode prepare: the dataset is complete. */
  | { readonly kind: 'prepared' }
  | { readonly kind: 'cleaned'; readonly files: number; readonly warnings: readonly string[] }
  | { readonly kind: 'checked'; readonly report: string }
  /** The abort was carried out; for a running stage its stageResult came before. */
  | { readonly kind: 'aborted'; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: AgentErrorCode; readonly message: string }
  /** Once a second in every state. */
  | ({
      readonly kind: 'report';
      readonly rssBytes: number;
    } & LoadFigures)
  | { readonly kind: 'log'; readonly level: LogLevel; readonly line: string };
