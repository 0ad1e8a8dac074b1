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
    case 'pong': {
      const roundTripMs = session.lookout.contact.pong(message.id, now.ms);
      if (roundTripMs !== undefined) session.latency(roundTripMs);
      return;
    }
    case 'probeReply': {
      const outcome = session.probes.reply(message, receivedNs, now);
      if (!outcome) return;
      session.latency(outcome.sample.roundTripNs / 1e6);
      if (outcome.estimate) session.clockKnown(outcome.estimate);
      return;
    }
    case 'goodbye':
      session.fail('lost', `Agent ${session.id} left the run: ${message.reason}`);
      return;
    case 'heartbeat':
      session.lookout.heartbeat = message;
      heartbeatLine(session, message, now);
      return;
    case 'state':
      if (message.state === 'RUNNING') running(session);
      session.states.announced(message.state, message.reason);
      return;
    case 'progress':
      session.latestProgress = message;
      session.lookout.work?.progress(message, now.ms);
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
      outbox.push({ kind: 'checked', agent, report: message.report });
      return;
    case 'final':
      session.hasSpokenLast = true;
      if (message.state === 'FAILED') {
        session.failedByItself('error', `Agent ${session.id} failed: ${message.reason}`, now.ms);
      } else if (message.state === 'ABORTED' || !session.states.isCleaningUp)
        session.states.move(message.state, message.reason);
      emit({ kind: 'ended', state: message.state, reason: message.reason });
      return;
    case 'error':
      session.failedByItself(
        failureOf[message.code],
        `Agent ${session.id} failed: ${message.message}`,
        now.ms,
      );
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

type Heartbeat = Extract<AgentMessage, { kind: 'heartbeat' }>;

function heartbeatLine(session: AgentSession, message: Heartbeat, now: Instant): void {
  const line = session.lookout.stage?.load(message, now.ms);
  if (line !== undefined) session.context.outbox.notice('warn', line);
}

function ready(session: AgentSession, stage: number, now: Instant): void {
  const { outbox, emit } = session.context;
  if (session.readyStage !== undefined && stage <= session.readyStage) {
    outbox.notice('warn', `Agent ${session.id} sent duplicate READY (ignoring)`);
    return;
  }
  if (!session.states.move('READY', `stage ${String(stage)}`)) return;
  session.readyStage = stage;
  session.lookout.work?.advanced(now.ms);
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
  const { stage, contact } = session.lookout;
  if (stage) {
    stage.stats(now.ms);
    if (contact.isFirstOfBurst(now.ms)) {
      session.latency(stage.latencyMs(message.last, message.sampledLateNs, now.ms));
    }
  }
  if (session.readyStage === message.stage) running(session);
}

/** Signs of load move ARMED to RUNNING; in any later state they are old news. */
function running(session: AgentSession): void {
  if (session.state !== 'ARMED' || session.readyStage === undefined) return;
  session.states.move('RUNNING', '');
  session.context.emit({ kind: 'running', stage: session.readyStage });
}
