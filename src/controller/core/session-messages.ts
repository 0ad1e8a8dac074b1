import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentErrorCode, AgentMessage } from '../../shared/model/messages.js';
import type { AgentSession } from './agent-session.js';
import type { FailureReason } from './session-events.js';

/** What each kind of message means for one agent's session. Closed: a new kind must be given a meaning here. */
export function receiveMessage(
  session: AgentSession,
  message: AgentMessage,
  receivedNs: bigint,
  now: Instant,
): void {
  const { outbox, emit } = session.context;
  const agent = session.index;
  switch (message.kind) {
    case 'nak':
    case 'welcome':
    case 'refused':
      // The link's own business (nak) or the handshake's, which is over.
      return;
    case 'ping':
      outbox.send(agent, { kind: 'pong', id: message.id });
      return;
    case 'pong':
      session.watch.pong(message.id, now.ms);
      return;
    case 'probeReply': {
      const outcome = session.probes.reply(message, receivedNs, now);
      if (!outcome) return;
      session.watch.latency(outcome.sample.roundTripNs / 1e6);
      if (outcome.estimate) session.clockKnown(outcome.estimate);
      if (outcome.burstDone) emit({ kind: 'synchronised' });
      return;
    }
    case 'goodbye':
      session.fail('lost', `Agent ${session.id} left the run: ${message.reason}`);
      return;
    case 'heartbeat':
      session.watch.heartbeat(message, now.ms);
      return;
    case 'state':
      session.states.announced(message.state, message.reason);
      if (message.state === 'RUNNING') running(session);
      return;
    case 'progress':
      session.watch.progress(message, now.ms);
      return;
    case 'marked':
      session.marked = true;
      emit({ kind: 'marked' });
      return;
    case 'ready':
      ready(session, message.stage, now);
      return;
    case 'armed':
      if (!session.states.move('ARMED', `epoch ${String(message.epoch)}`)) return;
      emit(message);
      return;
    case 'missed':
      if (session.state === 'ARMED') session.states.move('READY', `missed: ${message.reason}`);
      emit(message);
      return;
    case 'started':
      started(session, message);
      return;
    case 'interval':
      interval(session, message, now);
      return;
    case 'stageResult':
      if (!session.delivery(message.stage).addResult(message, now.ms)) {
        const stage = String(message.stage);
        outbox.notice(
          'warn',
          `Agent ${session.id} sent a second result of stage ${stage} (ignoring)`,
        );
        return;
      }
      outbox.record({ type: 'stageResult', agent, result: message });
      emit({ kind: 'result', stage: message.stage });
      return;
    case 'cleaned':
      session.cleaned = true;
      session.states.cleaned();
      session.states.move('COMPLETED', `removed ${String(message.files)} files`);
      for (const warning of message.warnings) outbox.notice('warn', `${session.id}: ${warning}`);
      emit({ kind: 'cleaned' });
      return;
    case 'checked':
      outbox.notice('debug', `${session.id}: preflight ${message.report}`);
      return;
    case 'final':
      session.hasSpokenLast = true;
      if (message.state === 'FAILED') {
        session.fail('error', `Agent ${session.id} failed: ${message.reason}`);
      } else if (message.state === 'ABORTED' || !session.states.isCleaningUp)
        session.states.move(message.state, message.reason);
      emit({ kind: 'ended', state: message.state, reason: message.reason });
      return;
    case 'error':
      session.fail(failureOf[message.code], `Agent ${session.id} failed: ${message.message}`);
      return;
    case 'log':
      outbox.notice(message.level, `${session.id}: ${message.line}`);
      return;
    default:
      message satisfies never;
  }
}

const failureOf: Readonly<Record<AgentErrorCode, FailureReason>> = {
  config: 'error',
  target: 'error',
  dataset: 'error',
  space: 'error',
  permission: 'error',
  crashed: 'crashed',
  killed: 'crashed',
  stuck: 'error',
  lease: 'lost',
  stopped: 'lost',
  internal: 'error',
};

function ready(session: AgentSession, stage: number, now: Instant): void {
  const { outbox, emit } = session.context;
  if (session.readyStage !== undefined && stage <= session.readyStage) {
    outbox.notice('warn', `Agent ${session.id} sent duplicate READY (ignoring)`);
    return;
  }
  if (!session.states.move('READY', `stage ${String(stage)}`)) return;
  session.readyStage = stage;
  session.watch.advanced(now.ms);
  emit({ kind: 'ready', stage });
}

type Started = Extract<AgentMessage, { kind: 'started' }>;
type IntervalMessage = Extract<AgentMessage, { kind: 'interval' }>;

function started(session: AgentSession, message: Started): void {
  const { stage, firstOperationNs, atNs } = message;
  if (session.readyStage === stage) running(session);
  if (firstOperationNs === 0n) return;
  session.context.outbox.record({
    type: 'started',
    agent: session.index,
    stage,
    latenessNs: Number(firstOperationNs - atNs),
    boundNs: session.startBoundNs,
  });
}

function interval(session: AgentSession, message: IntervalMessage, now: Instant): void {
  const taken = session.delivery(message.stage).addInterval(message, now.ms);
  if (taken === 'overlap') {
    const range = `${String(message.first)}-${String(message.last)}`;
    session.context.outbox.notice(
      'warn',
      `Agent ${session.id}: interval ${range} overlaps others (ignoring)`,
    );
  }
  if (taken !== 'new') return;
  session.context.outbox.record({ type: 'interval', agent: session.index, interval: message });
  session.watch.stats(message, now);
  if (session.readyStage === message.stage) running(session);
}

/** Signs of load move ARMED to RUNNING; in any later state they are old news. */
function running(session: AgentSession): void {
  if (session.state === 'ARMED') session.states.move('RUNNING', '');
  if (session.readyStage !== undefined && session.state === 'RUNNING') {
    session.context.emit({ kind: 'running', stage: session.readyStage });
  }
}
