import type { Instant } from '../../../shared/kernel/clock.js';
import type { Plan } from '../../../shared/model/plan.js';
import type { AgentSession } from '../agent-session.js';
import type { Barrier } from '../barrier.js';
import type { DecisionPhase } from '../decisions.js';
import type { Outbox } from '../outbox.js';
import type { RateDivision } from '../rate-division.js';
import type { RunOptions } from '../run-io.js';
import type { SessionEvent } from '../session-events.js';
import type { RunPhase, StageStatus } from '../snapshot.js';

/** What a phase may use of the run. */
export interface RunContext {
  readonly options: RunOptions;
  readonly plan: Plan;
  readonly sessions: readonly AgentSession[];
  readonly outbox: Outbox;
  readonly division: RateDivision;
  /** Leaves the present phase for good. */
  reached(destination: Destination, now: Instant): void;
  /** The run cannot be started, for this reason: abort all. */
  notStartable(reason: string, now: Instant): void;
}

/** What a phase has achieved when it ends; what comes next is the itinerary's. */
export type Destination =
  | { readonly kind: 'connected' | 'synchronised' | 'prepared' | 'cleaned' }
  /** All were told to go. */
  | { readonly kind: 'released'; readonly stage: number; readonly barrier: Barrier }
  /** They were told in vain: nobody started. */
  | { readonly kind: 'missed'; readonly stage: number; readonly barrier: Barrier }
  | { readonly kind: 'stageDone'; readonly stage: number };

/**
 * One part of a run's life. After every input the run passes on what the sessions told (`on`) and then asks the phase
 * whether it has come further (`poll`). Losses are judged by the run before the phase hears of them.
 */
export interface Phase {
  /** As shown at that instant. */
  name(nowMs: number): RunPhase;
  /** The column of the decision table; undefined: the phase deals with losses itself. */
  readonly judgedAs: DecisionPhase | undefined;
  enter(now: Instant): void;
  on(session: AgentSession, event: SessionEvent, now: Instant): void;
  poll(now: Instant): void;
  wakeAt(): number | undefined;
  /** The controller slept for `ms`: deadlines on others move by it. */
  shift(ms: number): void;
  stage(nowMs: number): StageStatus | undefined;
}

/** Taking part: not FAILED, not ABORTED, not HUNG. */
export function isLive(session: AgentSession): boolean {
  const { state, linkState } = session;
  return state !== 'FAILED' && state !== 'ABORTED' && linkState !== 'HUNG';
}
