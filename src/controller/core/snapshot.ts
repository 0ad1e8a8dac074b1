/**
 * What a view shows, joined once a second by the run's driver from two sources: RunStatus is what the run machine
 * knows (phases, states, links), LiveLoad is what the aggregate knows (numbers). Views compute nothing from records.
 */
import type { LinkState, SessionState } from './records.js';

export type RunPhase =
  | 'connecting'
  | 'synchronising'
  | 'preparing'
  | 'arming'
  | 'running'
  | 'collecting'
  | 'cleaning'
  | 'aborting'
  | 'finished';

/** Work done of work planned, in the unit the phase counts in; `total` 0 when it is not known yet. */
export interface PhaseProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'agents' | 'bytes' | 'files' | 'milliseconds' | 'operations';
}

export interface ThreadsProgress {
  readonly done: number;
  readonly total: number;
}

export interface AgentStatus {
  readonly index: number;
  readonly id: string;
  readonly state: SessionState;
  readonly link: LinkState;
  /** Why the agent is in its state or its link is down, in a few words; undefined when all is well. */
  readonly note: string | undefined;
  /** Since anything was heard from the agent. */
  readonly silentMs: number;
  /** Age of the runner's last report to the agent's control process; undefined without a runner. */
  readonly runnerSilentMs: number | undefined;
  /** The newest of round trips and ages of stats on arrival; undefined before the first. */
  readonly latencyMs: number | undefined;
  /** Of the newest probe or ping that was answered; undefined before the first. */
  readonly roundTripMs: number | undefined;
  readonly inFlight: number;
  /** Age of the oldest operation in flight, 0 without one. */
  readonly oldestInFlightMs: number;
  /** Of the next stage, while they are started and warmed. */
  readonly threads?: ThreadsProgress | undefined;
  /** While preparing, cleaning or getting a stage ready. */
  readonly progress: PhaseProgress | undefined;
}

export interface StageStatus {
  readonly index: number;
  readonly name: string;
  /** Since measured second 0; negative in the warm-up, and before it during the start wait. */
  readonly elapsedMs: number;
  readonly warmupMs: number;
  /** Undefined when the stage ends by operations or bytes. */
  readonly durationMs: number | undefined;
  /** Of the whole run; the stage ends at whichever limit comes first. */
  readonly maxOperations?: number | undefined;
  readonly maxBytes?: number | undefined;
}

/** What Run.snapshot() gives. */
export interface RunStatus {
  readonly name: string;
  readonly runId: string;
  readonly phase: RunPhase;
  readonly stageCount: number;
  /** The stage that is armed, running or collected; undefined before and after. */
  readonly stage: StageStatus | undefined;
  readonly agents: readonly AgentStatus[];
}

/** What an agent did in a second. */
export interface AgentRates {
  readonly operationsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Latency (in open loop response, else service) over all operations; undefined when none completed. */
  readonly p99Ns: number | undefined;
}

/** Numbers of one agent in the stage that runs. */
export interface AgentLoad {
  readonly index: number;
  /** The last second reported; undefined before the first, and of an agent that is done with the stage. */
  readonly latest: AgentRates | undefined;
  /** Since the run began. */
  readonly errors: number;
  /** Of this stage. */
  readonly operations: number;
  readonly bytes: number;
  /** Seconds of this stage reported without a gap from second 0. */
  readonly reportedSeconds: number;
}

/** What Aggregate.live() gives; rates are of the newest second that all agents which still report have reported. */
export interface LiveLoad {
  readonly stage: number | undefined;
  readonly second: number | undefined;
  readonly operationsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly p99Ns: number | undefined;
  /** Since the run began. */
  readonly errors: number;
  /** Of this stage. */
  readonly operations: number;
  readonly bytes: number;
  /** One per agent that has reported in this stage, by index. */
  readonly agents: readonly AgentLoad[];
}

/** To be read before the next turn of the loop: of a thousand agents only what is shown is put together. */
export interface RunSnapshot {
  /** Since the run began. */
  readonly elapsedMs: number;
  /** How late the controller's own loop was when this was made. */
  readonly lateMs: number;
  readonly status: RunStatus;
  readonly live: LiveLoad;
}
