import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentSession } from './agent-session.js';
import type { RunInput } from './run-io.js';
import { dialed, dialFailed, helloAnswered, linkLost } from './session-link-events.js';
import { receiveMessage } from './session-messages.js';

type SessionInput = Extract<RunInput, { agent: number }>;

/** What an input of one agent is to its session. */
export function takeInput(session: AgentSession, input: SessionInput, now: Instant): void {
  switch (input.kind) {
    case 'dialed':
      dialed(session, input, now);
      return;
    case 'dialFailed':
      dialFailed(session, input, now);
      return;
    case 'linkLost':
      linkLost(session, input.generation, input.reason, now);
      return;
    case 'message':
      if (!session.heard(input.generation, now)) return;
      receiveMessage(session, input.message, input.receivedNs, now);
      return;
    case 'invalid': {
      // A frame that cannot be used proves life all the same.
      if (!session.heard(input.generation, now)) return;
      const what = `ignoring invalid message (sequence ${String(input.sequence)})`;
      session.context.outbox.notice('warn', `Agent ${session.id}: ${what}: ${input.reason}`);
      return;
    }
    case 'helloResult':
      helloAnswered(session, input.hello, now);
      return;
    default:
      input satisfies never;
  }
}
