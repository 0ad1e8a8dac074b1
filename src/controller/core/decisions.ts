/**
 * Every decision about the run's fate, as one table; what a user sees of them is in docs/failures.md. Machines report an
 * event; what follows from it is written only here. Latency, invalid messages and errors of operations decide nothing:
 * that their rows say so is why nobody asks.
 */
import { exitCodes, type ExitCode } from '../../shared/model/outcome.js';
import type { FailurePolicy } from '../../shared/model/plan.js';
import type { LinkState, SessionState } from './records.js';
import { counted } from '../../shared/kernel/counted.js';

export type RunEvent =
  /** Unreachable, refused, wrong version, not Muster, the same agent twice, never reached the start barrier. */
  | 'notStartable'
  /** The agent failed, crashed, or its stream is lost for good. */
  | 'failed'
  | 'hung'
  | 'interrupt'
  | 'latency'
  | 'invalidMessage'
  | 'operationErrors';

/** startup: until every agent is connected and synchronised. workload: from the first barrier on. */
export type DecisionPhase = 'startup' | 'prepare' | 'workload' | 'cleanup';

export interface Standing {
  readonly configured: number;
  readonly alive: number;
}

export type Verdict =
  | { readonly kind: 'continue' | 'warn' | 'ignore' | 'count' }
  | { readonly kind: 'abort'; readonly exitCode: ExitCode; readonly notRepresentative: boolean };

type Row = 'notStarted' | 'byPolicy' | 'interrupted' | 'warn' | 'ignore' | 'count';

const everyPhase = (row: Row): Readonly<Record<DecisionPhase, Row>> => ({
  startup: row,
  prepare: row,
  workload: row,
  cleanup: row,
});

/** A loss after the last stage costs no numbers: what is left behind on its disk is worth a warning. */
const loss: Readonly<Record<DecisionPhase, Row>> = {
  startup: 'notStarted',
  prepare: 'notStarted',
  workload: 'byPolicy',
  cleanup: 'warn',
};

const table: Readonly<Record<RunEvent, Readonly<Record<DecisionPhase, Row>>>> = {
  notStartable: everyPhase('notStarted'),
  failed: loss,
  hung: loss,
  interrupt: everyPhase('interrupted'),
  latency: everyPhase('warn'),
  invalidMessage: everyPhase('ignore'),
  operationErrors: everyPhase('count'),
};

export function decide(
  event: RunEvent,
  phase: DecisionPhase,
  standing: Standing,
  policy: FailurePolicy,
): Verdict {
  const row = table[event][phase];
  switch (row) {
    case 'notStarted':
      return { kind: 'abort', exitCode: exitCodes.notStarted, notRepresentative: false };
    case 'interrupted':
      return { kind: 'abort', exitCode: exitCodes.interrupted, notRepresentative: false };
    case 'byPolicy':
      if (enoughAlive(policy, standing)) return { kind: 'continue' };
      return { kind: 'abort', exitCode: exitCodes.majorityLost, notRepresentative: true };
    case 'warn':
    case 'ignore':
    case 'count':
      return { kind: row };
    default:
      return row satisfies never;
  }
}

/** majority: alive × 2 > configured. With two agents one loss is the loss of the majority. */
export function enoughAlive(policy: FailurePolicy, standing: Standing): boolean {
  const { configured, alive } = standing;
  if (policy === 'majority') return alive * 2 > configured;
  if (policy === 'all') return alive >= configured;
  if (policy === 'any') return alive >= 1;
  return alive * 100 >= policy.percent * configured;
}

/** DISCONNECTED counts as alive inside its window (past it the agent is FAILED), COMPLETED counts. */
export function isAlive(state: SessionState, link: LinkState): boolean {
  return state !== 'FAILED' && state !== 'ABORTED' && link !== 'HUNG';
}

/** `1 of 3 agents alive, majority needed`: the policy in words, for reasons. */
export function policyText(policy: FailurePolicy, standing: Standing): string {
  const have = `${String(standing.alive)} of ${counted(standing.configured, 'agent')} alive`;
  if (policy === 'majority') return `${have}, a majority is needed`;
  if (policy === 'all') return `${have}, all are needed`;
  if (policy === 'any') return `${have}, one is needed`;
  return `${have}, ${String(policy.percent)}% are needed`;
}
