/** How an agent's part in the run ends by its own word. An end that nobody asked for is a loss, in whatever phase. */
import type { Instant } from '../../shared/kernel/clock.js';
import type { EndState } from '../../shared/model/agent-state.js';
import type { AgentMessage } from '../../shared/model/messages.js';
import type { AgentSession } from './agent-session.js';
import { hasEnded } from './transitions.js';
import { counted } from '../../shared/kernel/counted.js';

type Final = Extract<AgentMessage, { kind: 'final' }>;
type Cleaned = Extract<AgentMessage, { kind: 'cleaned' }>;

export function ended(session: AgentSession, { state, reason }: Final, now: Instant): void {
  session.ending.hasSpokenLast = true;
  // After its end this is late, not wrong; while it cleans up its Final may come before the word that it has.
  const isLate = hasEnded(session.state) || (state === 'COMPLETED' && session.states.isCleaningUp);
  if (!isLate) {
    if (state === 'FAILED') {
      session.ending.failedByItself('error', `Agent ${session.id} failed: ${reason}`, now.ms);
    } else if (isAskedFor(session, state)) session.states.move(state, reason);
    else session.ending.giveUp('lost', unasked(session, state, reason));
  }
  session.context.emit({ kind: 'ended', state, reason });
}

export function cleaned(session: AgentSession, { files, warnings }: Cleaned): void {
  const { outbox, emit } = session.context;
  for (const warning of warnings) outbox.warn(`${session.id}: ${warning}`);
  if (!session.states.isCleaningUp) {
    if (!hasEnded(session.state))
      session.ending.giveUp('lost', unasked(session, 'COMPLETED', 'cleaned'));
    return;
  }
  session.cleaned = true;
  session.removedFiles = files;
  session.states.cleaned();
  session.states.move('COMPLETED', `removed ${counted(files, 'file')}`);
  emit({ kind: 'cleaned' });
}

/** ABORTED only after Abort, COMPLETED only after all that it was to do. */
function isAskedFor(session: AgentSession, state: EndState): boolean {
  if (session.ending.isAborted) return true;
  if (state !== 'COMPLETED') return false;
  const { plan, mode } = session.context;
  switch (mode) {
    case 'run': {
      const last = plan.stages.length - 1;
      return session.hasReached(last) && session.delivery(last).result !== undefined;
    }
    case 'prepare':
    case 'check':
      return session.state === 'PREPARING';
    case 'cleanup':
      return false;
  }
}

function unasked({ id }: AgentSession, state: EndState, reason: string): string {
  const why = reason === '' ? '' : `: ${reason}`;
  return `Agent ${id} ended its part of the run unasked (${state}${why})`;
}
