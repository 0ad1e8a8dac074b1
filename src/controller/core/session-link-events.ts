/** What becomes of a session when its link comes up, fails to, or breaks. */
import type { Instant } from '../../shared/kernel/clock.js';
import type { HelloReply } from '../../shared/model/messages.js';
import type { AgentSession } from './agent-session.js';
import { wholeSeconds } from './duration-text.js';
import { isSilence } from './link-keeper.js';
import type { RunInput, WelcomeMessage } from './run-io.js';

type Dialed = Extract<RunInput, { kind: 'dialed' }>;
type DialFailed = Extract<RunInput, { kind: 'dialFailed' }>;

export function dialed(session: AgentSession, answer: Dialed, now: Instant): void {
  const { generation, hello, welcome } = answer;
  const again = generation > 1;
  const silentMs = now.ms - session.lookout.contact.heardAtMs;
  if (!session.link.dialed(generation, silentMs)) return;
  const isSame = again && welcome.resumed && welcome.instanceId === session.instanceId;
  // One that was not told anything yet has lost nothing: neither by a restart, nor when its first stream broke too early.
  if (again && !isSame && session.states.wasTold) {
    restarted(session);
    return;
  }
  session.lookout.contact.connected(now.ms);
  session.lookout.stage?.returned(now.ms);
  session.lookout.heardAgain(now.ms);
  session.probes.startBurst(again ? 'fresh' : 'first', now.ms);
  if (!isSame) registered(session, hello, welcome);
  session.context.emit({ kind: 'connected', again });
}

export function dialFailed(session: AgentSession, failure: DialFailed, now: Instant): void {
  const { generation, code, message, instanceId } = failure;
  if (session.link.dialFailed(generation, code, message, now.ms) !== 'final') return;
  if (generation > 1) {
    // It is another process, or has let go of the run: what it kept of it is all that can still be had.
    if (code === 'secret') session.ending.fetchKept(session.instanceId);
    session.ending.gone('lost', `Agent ${session.id} is lost: ${message}`);
    return;
  }
  session.instanceId = instanceId;
  const within = wholeSeconds(session.context.plan.timeouts.connectMs);
  const isUnreachable = isSilence(code) && failure.connected !== true;
  const what = isUnreachable ? ` unreachable after ${within}` : '';
  session.ending.fail('lost', `Agent ${session.context.agent.address}${what}: ${message}`);
}

export function linkLost(
  session: AgentSession,
  generation: number,
  cause: string,
  now: Instant,
): void {
  if (session.link.lost(generation, cause, now.ms)) disconnected(session);
}

/** Who answers on a fresh connection while the stream is silent? */
export function helloAnswered(
  session: AgentSession,
  hello: HelloReply | undefined,
  now: Instant,
): void {
  const { link } = session;
  if (!hello || !link.isOpen || !session.hearing.isDoubtful(now.ms)) return;
  if (hello.instanceId !== session.instanceId) {
    restarted(session);
    return;
  }
  link.replaceDeadStream(now.ms, now.ms - session.lookout.contact.heardAtMs);
  disconnected(session);
}

function disconnected(session: AgentSession): void {
  session.probes.reset();
  // It ended its part by itself, and its numbers did not get through before its stream was gone.
  if (session.ending.hasFailedByItself && session.isOwing) {
    session.ending.fetchKept(session.instanceId);
  }
  session.context.emit({ kind: 'disconnected' });
  if (session.context.plan.timeouts.reconnectWindowMs > 0) return;
  session.ending.gone('lost', `Agent ${session.id} is lost: ${session.link.lastCause}`);
}

function registered(session: AgentSession, hello: HelloReply, welcome: WelcomeMessage): void {
  const { version, instanceId, bootId } = welcome;
  session.instanceId = instanceId;
  const { hostname } = hello;
  const facts = { version, hostname, instanceId, bootId, host: parsedFacts(welcome.host) };
  session.known(facts);
  session.states.move('IDLE', 'connected');
}

function restarted(session: AgentSession): void {
  session.ending.fetchKept(session.instanceId);
  session.ending.gone('crashed', `Agent ${session.id} was restarted: its part of the run is lost`);
}

/** Facts are shown, never acted on: what is not JSON is kept as the text it is. */
export function parsedFacts(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
