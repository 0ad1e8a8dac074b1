import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentErrorCode, AgentMessage, Progress } from '../../shared/model/messages.js';
import type { AgentSession } from './agent-session.js';
import { cleaned, ended } from './session-end.js';
import type { FailureReason } from './session-events.js';
import { parsedFacts } from './session-link-events.js';
import { interval, running, stageResult } from './session-stats.js';
import { agentWarning } from './warnings.js';
import { stageName } from '../../shared/model/stage-name.js';

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
    case 'checkpoint':
      // The link's own business (nak), the handshake's, which is over, or that of a stream of its own.
      return;
    case 'ping':
      outbox.send(agent, { kind: 'pong', id: message.id });
      return;
    case 'pong': {
      const roundTripMs = session.lookout.contact.pong(message.id, now.ms);
      if (roundTripMs !== undefined) session.delays.roundTrip(roundTripMs, now.ms);
      return;
    }
    case 'probeReply': {
      const outcome = session.probes.reply(message, receivedNs, now);
      if (!outcome) return;
      session.delays.roundTrip(outcome.sample.roundTripNs / 1e6, now.ms);
      if (outcome.estimate) session.hearing.answered(outcome.estimate);
      return;
    }
    case 'goodbye':
      left(session, message.reason);
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
      if (isOwnWork(session, message)) session.latestProgress = message;
      session.lookout.work?.progress(message, now.ms);
      return;
    case 'target':
      session.targetKnown(parsedFacts(message.facts));
      return;
    case 'marked':
      session.marked = true;
      if (message.prepared) outbox.record({ type: 'prepared', agent, prepared: message.prepared });
      emit({ kind: 'marked' });
      return;
    case 'ready':
      ready(session, message.stage, now);
      return;
    case 'armed':
      // What it said before it took our last command up is out of date.
      if (session.states.isCleaningUp) return;
      if (!session.states.move('ARMED', stageText(session, message.stage))) return;
      emit(message);
      return;
    case 'missed':
      // One that is armed for an earlier stage stays so until it has missed that.
      if (session.state === 'ARMED' && message.stage === session.readyStage) {
        session.states.move('READY', `missed: ${message.reason}`);
      }
      emit(message);
      return;
    case 'started':
      started(session, message);
      return;
    case 'interval':
      interval(session, message, now);
      return;
    case 'stageResult':
      stageResult(session, message, now);
      return;
    case 'cleaned':
      cleaned(session, message);
      return;
    case 'checked':
      outbox.push({ kind: 'checked', agent, report: message.report });
      return;
    case 'final':
      ended(session, message, now);
      return;
    case 'error':
      if (refusals.has(message.code)) session.refusedToPrepare();
      session.ending.failedByItself(
        failureOf[message.code],
        `Agent ${session.id} ${message.code === 'lease' ? 'gave the run up' : 'failed'}: ${message.message}`,
        now.ms,
      );
      return;
    case 'linkReport': {
      const { kind: _kind, ...report } = message;
      session.keepsSpool = report.checkpointBytes > 0;
      outbox.record({ type: 'linkReport', agent, report });
      return;
    }
    case 'log':
      outbox.notice(message.level, `${session.id}: ${message.line}`);
      if (message.inResults === true) inResults(session, message.line);
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
  operations: 'error',
  internal: 'error',
};

/** Of one agent: no stranger in its place shall fill the results. */
const mostRemarks = 10;

/** Errors of an agent that does not begin with its dataset: what it is told, where, or what it finds there is not right. */
const refusals: ReadonlySet<AgentErrorCode> = new Set([
  'config',
  'target',
  'dataset',
  'permission',
  'space',
]);

type Heartbeat = Extract<AgentMessage, { kind: 'heartbeat' }>;

function heartbeatLine(session: AgentSession, message: Heartbeat, now: Instant): void {
  const line = session.lookout.stage?.load(message, now.ms);
  if (line !== undefined) session.context.outbox.notice('warn', line);
}

function ready(session: AgentSession, stage: number, now: Instant): void {
  const { outbox, emit, plan, mode } = session.context;
  // As with ARMED: it said so before it took our last command up.
  if (session.states.isCleaningUp) return;
  if (session.hasReached(stage)) {
    outbox.notice('warn', `Agent ${session.id} sent duplicate READY (ignoring)`);
    return;
  }
  const next = session.readyStage === undefined ? 0 : session.readyStage + 1;
  const isWaiting = session.state === 'READY';
  // Of two stages it was told to get ready for, one after the other, the first may be what it carries out.
  const isNext = stage <= Math.max(next, session.askedStage ?? next);
  if (mode !== 'run' || isWaiting || !isNext || stage >= plan.stages.length) {
    const which = stageText(session, stage);
    outbox.notice('warn', `Agent ${session.id} sent READY for ${which} (ignoring)`);
    return;
  }
  if (!session.states.move('READY', stageText(session, stage))) return;
  session.readyStage = stage;
  session.lookout.work?.advanced(now.ms);
  emit({ kind: 'ready', stage });
}

/** Why it is READY or ARMED, for people. */
function stageText({ context }: AgentSession, stage: number): string {
  return `stage ${stageName(context.plan.stages, stage)}`;
}

/**
 * What an agent waits for is others' work, and threads are no files. Until it is ready for the first time its dataset counts, and not how many of
 * its workers are open: a share of the work that is told must not become less.
 */
function isOwnWork(session: AgentSession, { phase }: Progress): boolean {
  if (phase === 'wait' || phase === 'threads') return false;
  return phase !== 'stage' || session.readyStage !== undefined;
}

/** Its next result says so again, in the same words; should that not come, the results have it all the same. */
function inResults(session: AgentSession, line: string): void {
  session.remarks += 1;
  if (session.remarks > mostRemarks) return;
  const { outbox } = session.context;
  outbox.record({ type: 'warning', line: agentWarning(session.id, line) });
}

/** Who has done its part and leaves is not waited for, as one would be whose stream broke; its own end it has told. */
function left({ id, state, ending }: AgentSession, reason: string): void {
  const line = `Agent ${id} left the run: ${reason}`;
  if (state === 'COMPLETED') ending.gone('lost', line);
  else ending.fail('lost', line);
}

type Started = Extract<AgentMessage, { kind: 'started' }>;

function started(session: AgentSession, message: Started): void {
  const { stage, firstOperationNs, atNs } = message;
  if (session.readyStage === stage) running(session);
  if (firstOperationNs === 0n || !session.hasReached(stage)) return;
  session.context.outbox.record({
    type: 'started',
    agent: session.index,
    stage,
    latenessNs: Number(firstOperationNs - atNs),
    boundNs: session.startBoundNs,
  });
}
