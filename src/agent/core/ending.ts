import type { EndState } from '../../shared/model/agent-state.js';
import type { AgentErrorCode, EndedBy } from '../../shared/model/messages.js';
import { Alarm } from './alarm.js';
import { stuckAfterKillMs } from './reaper.js';

/** How a run is to end. `error` is sent before the final message. */
export interface EndPlan {
  readonly to: EndState;
  readonly reason: string;
  readonly error: { readonly code: AgentErrorCode; readonly message: string } | undefined;
  /** For the stage under way, when its runner leaves no result of its own. */
  readonly endedBy: EndedBy;
}

/** Operations in flight get this long at an abort, less when the run's `abort` time is short. */
const longestGraceMs = 2_000;

/** For the runner's last words after the grace. */
const sayMs = 500;

/**
 * A process that has not come so far as to say anything has nothing in flight, and may find something wrong: it gets so
 * much more, within the time that the controller waits.
 */
export function startGraceMs(abortMs: number): number {
  const leftMs = abortMs * 0.8 - abortGraceMs(abortMs) - sayMs;
  return Math.min(longestStartMs, Math.max(0, leftMs));
}
const longestStartMs = 10_000;

/** There is no time for a second look at every deadline: only where this process was held up itself. */
export const punctualMs = 50;

export function abortGraceMs(abortMs: number): number {
  return Math.round(Math.min(longestGraceMs, abortMs * 0.4));
}

/** A run on its way to an end: the runner is asked, then killed, then given up. */
export class Ending {
  readonly plan: EndPlan;
  #phase: 'asked' | 'killed';
  #dueMs: number;
  #alarm = new Alarm(punctualMs);

  private constructor(plan: EndPlan, phase: 'asked' | 'killed', dueMs: number) {
    this.plan = plan;
    this.#phase = phase;
    this.#dueMs = dueMs;
  }

  /** The runner's operations in flight have `graceMs`; then it may say what it has, and is killed if it does not. */
  static asked(plan: EndPlan, graceMs: number, nowMs: number): Ending {
    return new Ending(plan, 'asked', nowMs + graceMs + sayMs);
  }

  static killed(plan: EndPlan, nowMs: number): Ending {
    return new Ending(plan, 'killed', nowMs + stuckAfterKillMs);
  }

  get wasKilled(): boolean {
    return this.#phase === 'killed';
  }

  wakeAt(): number {
    return this.#alarm.wakeAt(this.#dueMs);
  }

  /** What is due now. After `kill` the same object waits for the process to be gone; `giveUp`: it will not go. */
  tick(nowMs: number): 'wait' | 'kill' | 'giveUp' {
    if (!this.#alarm.expired(this.#dueMs, nowMs)) return 'wait';
    if (this.#phase === 'killed') return 'giveUp';
    this.#phase = 'killed';
    this.#dueMs = nowMs + stuckAfterKillMs;
    this.#alarm = new Alarm(punctualMs);
    return 'kill';
  }
}
