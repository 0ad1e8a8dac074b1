/**
 * What a run leaves in journal.ndjson, one JSON object a line. The aggregate is fed with the same records live and by
 * `report`, so screen, files and a later rebuild cannot disagree. Byte fields are base64 and bigints decimal strings in
 * the file (results/journal does that); in memory they are as typed here.
 */
import type { AgentState } from '../../shared/model/agent-state.js';
import type { Interval, Prepared, StageResult } from '../../shared/model/messages.js';
import type { ExitCode, Outcome } from '../../shared/model/outcome.js';
import type { Plan } from '../../shared/model/plan.js';
import type { LogLevel } from '../../shared/kernel/log.js';
import type { LinkMetrics } from '../../shared/model/link-metrics.js';
import type { LinkReport } from '../../shared/model/link-report.js';

/** The controller's view of an agent: the agent's own states, and CONNECTING before the first Welcome. */
export type SessionState = AgentState | 'CONNECTING';
export type LinkState = 'CONNECTING' | 'CONNECTED' | 'DISCONNECTED' | 'HUNG' | 'CLOSED';

export interface AgentFacts {
  readonly version: string;
  readonly hostname: string;
  readonly instanceId: string;
  readonly bootId: string;
  /** Parsed `host` of Welcome; the agent decides what is in it. */
  readonly host: unknown;
  /** Parsed `facts` of Target, once it has come. */
  readonly target?: unknown;
}

/** Offset to add to the controller's monotonic clock to get the agent's, |error| ≤ boundNs. */
export interface ClockEstimate {
  readonly offsetNs: bigint;
  readonly boundNs: number;
  readonly roundTripNs: number;
  /** Agent's wall clock minus the controller's; for the log only. */
  readonly wallOffsetMs: number;
}

export type RunRecord =
  | {
      readonly type: 'run';
      readonly schema: 1;
      readonly runId: string;
      readonly mode: 'run' | 'prepare' | 'cleanup';
      readonly startedUnixMs: number;
      readonly version: string;
      readonly node: string;
      readonly commandLine: readonly string[];
      readonly configSha256: string;
      readonly plan: Plan;
    }
  | { readonly type: 'agent'; readonly agent: number; readonly facts: AgentFacts }
  | { readonly type: 'clock'; readonly agent: number; readonly clock: ClockEstimate }
  | {
      readonly type: 'transition';
      readonly agent: number;
      readonly from: SessionState;
      readonly to: SessionState;
      readonly reason: string;
    }
  | {
      readonly type: 'link';
      readonly agent: number;
      readonly to: LinkState;
      readonly generation: number;
      readonly reason: string;
      /** Of one that was HUNG and is heard, or whose stream proved dead: for how long it had said nothing. Not in older journals. */
      readonly silentMs?: number;
    }
  /** The agent's part of the dataset is there. Not in older journals. */
  | { readonly type: 'prepared'; readonly agent: number; readonly prepared: Prepared }
  /** All agents of `agents` were told Go for `at` (controller's monotonic clock, T0 of the stage). */
  | {
      readonly type: 'stageStart';
      readonly stage: number;
      readonly epoch: number;
      readonly t0Ns: bigint;
      /** From this record to T0; not in journals of older versions. */
      readonly leadMs?: number;
      readonly agents: readonly number[];
    }
  /** From now on these agents share the rate of the stage (and of those after it) in equal parts. */
  | {
      readonly type: 'share';
      readonly stage: number;
      readonly epoch: number;
      readonly agents: readonly number[];
    }
  /** Lateness of the agent's first operation against T0, with the clock's bound at that start. */
  | {
      readonly type: 'started';
      readonly agent: number;
      readonly stage: number;
      readonly latenessNs: number;
      readonly boundNs: number;
    }
  /** `folded`: came out of an overflowing inbox, so it counts in the totals but has no place in the time line. */
  | {
      readonly type: 'interval';
      readonly agent: number;
      readonly interval: Interval;
      readonly folded?: true;
    }
  | { readonly type: 'stageResult'; readonly agent: number; readonly result: StageResult }
  | { readonly type: 'stageEnd'; readonly stage: number }
  /**
   * Every ten seconds and at the end of the run: what went over the agent's link so far, as the controller counts it;
   * `latency` is of round trips of probes and pings, and the age of stats on arrival.
   */
  | { readonly type: 'linkMetrics'; readonly agent: number; readonly metrics: LinkMetrics }
  /** The same, as the agent counts it: every ten seconds, and before its last word. */
  | { readonly type: 'linkReport'; readonly agent: number; readonly report: LinkReport }
  /** A row of the decision table was applied. */
  | {
      readonly type: 'decision';
      readonly event: string;
      readonly agent: number | undefined;
      readonly verdict: string;
    }
  | { readonly type: 'notice'; readonly level: LogLevel; readonly line: string }
  /** A sentence for the warnings of the results; the same was said as a notice. */
  | { readonly type: 'warning'; readonly line: string }
  /** Once a second as long as the controller lives; lateMs: how late its own loop was. */
  | { readonly type: 'heartbeat'; readonly lateMs: number }
  | {
      readonly type: 'end';
      readonly outcome: Outcome;
      readonly exitCode: ExitCode;
      readonly reason: string | undefined;
      readonly notRepresentative: boolean;
    };

/** A record with when it was made: milliseconds since the run began, on the controller's monotonic clock. */
export type JournalRecord = RunRecord & { readonly atMs: number };
