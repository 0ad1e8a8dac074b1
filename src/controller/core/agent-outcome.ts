import type { EndedBy, StageResult } from '../../shared/model/messages.js';
import type { StagePlan } from '../../shared/model/plan.js';
import type { AgentStage } from './agent-stage.js';
import type { LinkState, SessionState } from './records.js';

/** How a stage ended for an agent. LOST: its link was down and nobody declared it hung or failed. */
export type AgentStageState =
  'COMPLETED' | 'FAILED' | 'ABORTED' | 'HUNG' | 'LOST' | 'RUNNING' | 'NOT_STARTED';

export function agentStageState(
  stage: AgentStage | undefined,
  told: boolean,
  session: SessionState,
  link: LinkState,
  ended: boolean,
): AgentStageState {
  if (stage?.result) return stateAfter(stage.result.endedBy);
  if (!told) return 'NOT_STARTED';
  if (session === 'FAILED' || session === 'ABORTED') return session;
  if (link === 'HUNG') return 'HUNG';
  if (ended || link === 'DISCONNECTED' || link === 'CLOSED') return 'LOST';
  // Told, and waiting for T0.
  return session === 'READY' || session === 'ARMED' ? 'NOT_STARTED' : 'RUNNING';
}

/** What an agent made of a stage that it has given a result of: one that is cut short comes with a result, too. */
export function stateAfter(endedBy: EndedBy): 'COMPLETED' | 'FAILED' | 'ABORTED' {
  switch (endedBy) {
    case 'duration':
    case 'operations':
    case 'bytes':
    case 'exhausted':
    case 'drained':
      return 'COMPLETED';
    case 'aborted':
      return 'ABORTED';
    case 'killed':
    case 'error':
      return 'FAILED';
  }
}

/** Seconds from measured second 0 to the agent's last operation, or to the end of what it reported. */
export function endSeconds(stage: AgentStage): number {
  const { result } = stage;
  if (!result || result.lastOperationNs === 0n) return stage.held.end;
  return Math.max(0, Number(result.lastOperationNs - result.atNs) / 1e9);
}

/** Seconds from measured second 0 to the end of the agent's work; undefined when it did not finish. */
export function doneSeconds(stage: AgentStage, plan: StagePlan): number | undefined {
  const { result } = stage;
  if (!result) return undefined;
  const last = result.lastOperationNs === 0n ? 0 : endSeconds(stage);
  switch (result.endedBy) {
    case 'duration':
      // Between its last operation and the end of the duration an agent waited for a schedule: it was not done.
      return Math.max(last, (plan.durationMs ?? 0) / 1000);
    case 'drained':
      // Nothing ended while the storage hung, but the agent was not done: there was something in flight.
      return Math.max(last, issuedSeconds(result) ?? (plan.durationMs ?? 0) / 1000);
    case 'operations':
    case 'bytes':
    case 'exhausted':
      return last;
    case 'aborted':
    case 'killed':
    case 'error':
      return undefined;
  }
}

/** From measured second 0 until nothing more was issued; undefined: its workload process was killed before it said so. */
function issuedSeconds({ endedNs, atNs }: StageResult): number | undefined {
  return endedNs === 0n ? undefined : Math.max(0, Number(endedNs - atNs) / 1e9);
}

/** Measured seconds of an agent that did not finish that are in the numbers: until it was stopped, else as reported. */
export function coveredSeconds({ held, result }: AgentStage): number {
  if (!result) return held.seconds;
  return issuedSeconds(result) ?? result.intervals;
}

/** Measured seconds in which any of them began operations: until the duration was over, or all were done or stopped. */
export function loadSeconds(
  members: readonly { readonly stage: AgentStage }[],
  plan: StagePlan,
): number {
  const own = ({ stage }: { readonly stage: AgentStage }): number =>
    stage.result ? (doneSeconds(stage, plan) ?? coveredSeconds(stage)) : stage.held.end;
  const longest = Math.max(0, ...members.map(own));
  return Math.min(longest, plan.durationMs === undefined ? Infinity : plan.durationMs / 1000);
}
