import { once } from '../../shared/kernel/once.js';
import type { AgentSession } from './agent-session.js';
import type { Phase } from './phases/phase.js';
import type { RunOptions } from './run-io.js';
import type { AgentStatus, PhaseProgress, RunPhase, RunStatus } from './snapshot.js';
import { silentAfterMs } from './stage-watch.js';

/** What a view is shown of the run machine, to be read at once; `phase` undefined: finished. */
export function statusOf(
  run: { readonly options: RunOptions; readonly sessions: readonly AgentSession[] },
  phase: Phase | undefined,
  nowMs: number,
): RunStatus {
  const name = phase?.name(nowMs) ?? 'finished';
  const agents = once(() => run.sessions.map((session) => agentStatus(session, name, nowMs)));
  return {
    name: run.options.plan.name,
    runId: run.options.runId,
    phase: name,
    stageCount: run.options.plan.stages.length,
    stage: phase?.stage(nowMs),
    get agents() {
      return agents();
    },
  };
}

function agentStatus(session: AgentSession, phase: RunPhase, nowMs: number): AgentStatus {
  const { contact, heartbeat } = session.lookout;
  const runnerSilentMs = (heartbeat?.runnerSilenceNs ?? 0) / 1e6;
  return {
    index: session.index,
    id: session.id,
    state: session.state,
    link: session.linkState,
    note: noteOf(session, nowMs),
    silentMs: contact.heardAtMs > 0 ? Math.max(0, nowMs - contact.heardAtMs) : 0,
    runnerSilentMs: runnerSilentMs > 0 ? runnerSilentMs : undefined,
    latencyMs: contact.latencyMs,
    roundTripMs: contact.roundTripMs,
    inFlight: heartbeat?.inFlight ?? 0,
    oldestInFlightMs: (heartbeat?.oldestInFlightNs ?? 0) / 1e6,
    threads: session.state === 'READY' ? undefined : session.lookout.work?.threads,
    progress: progressOf(session, phase),
  };
}

function noteOf(session: AgentSession, nowMs: number): string | undefined {
  if (session.ending.failure !== undefined) return session.ending.failure;
  if (session.linkState === 'HUNG') return 'hung';
  if (session.linkState === 'DISCONNECTED') return session.link.lastCause;
  if (session.lookout.runnerIsSilent) return 'runner silent';
  const age = session.lookout.stage?.statsAgeMs(nowMs);
  return age !== undefined && age >= silentAfterMs ? 'no stats' : undefined;
}

/** Of work that is finished, all: a run's share of the work is over all agents, and does not fall when one is done. */
function progressOf(session: AgentSession, phase: RunPhase): PhaseProgress | undefined {
  const progress = session.latestProgress;
  if (!progress || (phase === 'cleaning') !== (progress.phase === 'cleanup')) return undefined;
  const { filesDone, filesTotal, bytesDone, bytesTotal } = progress;
  const isDone = session.state === 'READY' || session.state === 'COMPLETED';
  return bytesTotal > 0
    ? { done: isDone ? bytesTotal : bytesDone, total: bytesTotal, unit: 'bytes' }
    : { done: isDone ? filesTotal : filesDone, total: filesTotal, unit: 'files' };
}
