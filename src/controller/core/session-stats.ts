/** The numbers of a stage as one agent sends them. */
import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentMessage } from '../../shared/model/messages.js';
import type { AgentSession } from './agent-session.js';
import { stageName } from '../../shared/model/stage-name.js';

type Interval = Extract<AgentMessage, { kind: 'interval' }>;
type StageResult = Extract<AgentMessage, { kind: 'stageResult' }>;

/** A run lasts less than a year: a second beyond it is none. */
const mostSeconds = 366 * 86_400;

export function interval(session: AgentSession, message: Interval, now: Instant): void {
  const { outbox, plan } = session.context;
  const { stage, first, last } = message;
  const range = `interval ${String(first)}-${String(last)}`;
  if (!session.hasReached(stage) || last < first || last >= mostSeconds) {
    outbox.notice(
      'warn',
      `Agent ${session.id}: ${range} of stage ${stageName(plan.stages, stage)} cannot be (ignoring)`,
    );
    return;
  }
  const taken = session.delivery(stage).addInterval(message, now.ms);
  if (taken === 'overlap') {
    outbox.notice('warn', `Agent ${session.id}: ${range} overlaps others (ignoring)`);
  }
  if (taken !== 'new') return;
  outbox.record({ type: 'interval', agent: session.index, interval: message });
  const { stage: watch, contact } = session.lookout;
  if (watch) {
    watch.stats(now.ms);
    if (contact.isFirstOfBurst(now.ms)) {
      session.delays.latency(watch.latencyMs(last, message.sampledLateNs, now.ms), now.ms);
    }
  }
  if (session.readyStage === stage) running(session);
}

export function stageResult(session: AgentSession, message: StageResult, now: Instant): void {
  const { outbox, emit, plan } = session.context;
  const { stage } = message;
  const what = `result of stage ${stageName(plan.stages, stage)}`;
  const isAhead = session.readyStage === stage && session.state === 'READY';
  if (!session.hasReached(stage) || isAhead) {
    outbox.notice('warn', `Agent ${session.id}: ${what}, which it has not begun (ignoring)`);
    return;
  }
  if (!session.delivery(stage).addResult(message, now.ms)) {
    outbox.notice('warn', `Agent ${session.id} sent a second ${what} (ignoring)`);
    return;
  }
  outbox.record({ type: 'stageResult', agent: session.index, result: message });
  if (session.readyStage === stage) running(session);
  emit({ kind: 'result', stage });
}

/** Signs of load move ARMED to RUNNING; in any later state they are old news. */
export function running(session: AgentSession): void {
  if (session.state !== 'ARMED' || session.readyStage === undefined) return;
  session.states.move('RUNNING', '');
  session.context.emit({ kind: 'running', stage: session.readyStage });
}
