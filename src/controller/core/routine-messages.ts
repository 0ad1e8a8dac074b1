import type { AgentMessage } from '../../shared/model/messages.js';
import type { AgentSession } from './agent-session.js';

const routine: ReadonlySet<AgentMessage['kind']> = new Set([
  'heartbeat',
  'progress',
  'ping',
  'pong',
  'log',
  'linkReport',
]);

/** A message that by itself moves no phase on. Asked after the session has taken it. */
export function isRoutine(message: AgentMessage, session: AgentSession | undefined): boolean {
  switch (message.kind) {
    case 'interval':
      return session?.hasReached(message.stage) !== true || !session.delivery(message.stage).result;
    case 'probeReply':
      return session?.probes.inBurst === true;
    default:
      return routine.has(message.kind);
  }
}
