import { exitCodes, type ExitCode, type Outcome } from '../../shared/model/outcome.js';
import { stateAfter } from './agent-outcome.js';
import type { AgentSession } from './agent-session.js';
import { oneSentence } from './one-sentence.js';
import type { RunOptions } from './run-io.js';
import { counted } from '../../shared/kernel/counted.js';

/** How a run that was not aborted ended: complete when every agent delivered all that was asked of it. */
export function judgeEnd(
  sessions: readonly AgentSession[],
  options: RunOptions,
): { code: ExitCode; reason: string | undefined } {
  const incomplete = sessions.filter((session) => !hasDelivered(session, options));
  if (incomplete.length === 0) return { code: exitCodes.completed, reason: undefined };
  const count = `${String(sessions.length - incomplete.length)} of ${counted(sessions.length, 'agent')}`;
  const causes = incomplete.map(
    (session) => session.ending.failure ?? `${session.id}: ${whyOf(session, options)}`,
  );
  // A command that is nothing but its one job has not been done in part when no agent did it.
  const none = options.mode !== 'run' && incomplete.length === sessions.length;
  const code = none ? exitCodes.notStarted : exitCodes.partial;
  return { code, reason: `${count} completed (${oneSentence(causes)})` };
}

function hasDelivered(session: AgentSession, options: RunOptions): boolean {
  switch (options.mode) {
    case 'run':
      return missingStages(session, options).length === 0;
    case 'prepare':
    case 'check':
      return session.state === 'COMPLETED';
    case 'cleanup':
      return session.cleaned;
  }
}

/** Names of the stages that it has not completed. */
function missingStages(session: AgentSession, { plan }: RunOptions): readonly string[] {
  const missing = plan.stages.filter(({ index }) => {
    const { result } = session.delivery(index);
    return result === undefined || stateAfter(result.endedBy) !== 'COMPLETED';
  });
  return missing.map(({ name }) => name);
}

function whyOf(session: AgentSession, options: RunOptions): string {
  if (session.linkState === 'HUNG') return 'hung';
  if (session.linkState === 'DISCONNECTED') return 'disconnected';
  if (options.mode !== 'run') return 'results are missing';
  return `results of ${missingStages(session, options).join(', ')} are missing`;
}

export function outcomeOf(code: ExitCode): Outcome {
  switch (code) {
    case exitCodes.completed:
    case exitCodes.thresholdFailed:
      return 'completed';
    case exitCodes.partial:
      return 'partial';
    case exitCodes.majorityLost:
      return 'aborted';
    case exitCodes.interrupted:
      return 'interrupted';
    case exitCodes.usage:
    case exitCodes.notStarted:
    case exitCodes.resultsNotWritten:
    case exitCodes.internal:
      return 'failed';
  }
}
