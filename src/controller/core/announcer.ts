import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentSession } from './agent-session.js';
import { wholeSeconds } from './duration-text.js';
import type { Outbox } from './outbox.js';
import type { Phase } from './phases/phase.js';
import type { RunOptions } from './run-io.js';
import type { SessionEvent } from './session-events.js';
import { workDone } from './work-done.js';

/** Tells the user what happens to the agents. */
export class Announcer {
  readonly #options: RunOptions;
  readonly #outbox: Outbox;
  #startedAtMs = 0;
  #workloadBeganMs: number | undefined;

  constructor(options: RunOptions, outbox: Outbox) {
    this.#options = options;
    this.#outbox = outbox;
  }

  start(nowMs: number): void {
    this.#startedAtMs = nowMs;
  }

  /** The run has gone on to this phase. */
  entered(phase: Phase, nowMs: number): void {
    if (phase.name(nowMs) === 'arming') this.#workloadBeganMs ??= nowMs;
  }

  tell(session: AgentSession, event: SessionEvent, phase: Phase, now: Instant): void {
    if (event.kind === 'failed' || event.kind === 'hung') {
      // While connecting all causes are told together, at its end.
      if (phase.name(now.ms) !== 'connecting') this.#outbox.notice('error', event.line);
    } else if (event.kind === 'disconnected' && session.ending.failure === undefined) {
      this.#outbox.notice('warn', this.#disconnectedLine(session, phase, now.ms));
    } else if (event.kind === 'connected' && event.again) {
      const generation = String(session.link.generation);
      this.#outbox.notice('info', `Agent ${session.id} reconnected (stream ${generation})`);
    }
  }

  #disconnectedLine(session: AgentSession, phase: Phase, nowMs: number): string {
    const stage = phase.stage(nowMs);
    const assignment = this.#options.assignments[session.index];
    let done = phase.judgedAs === 'cleanup' && this.#options.mode === 'run' ? 1 : 0;
    if (stage && assignment) {
      // A stage that went on without the agent is no work of it.
      const takesPart = session.hasReached(stage.index);
      const operations = takesPart ? (session.lookout.heartbeat?.operations ?? 0) : 0;
      const elapsedMs = takesPart ? stage.elapsedMs : 0;
      done = workDone(assignment, { stage: stage.index, elapsedMs, operations });
    }
    const elapsed = wholeSeconds(nowMs - (this.#workloadBeganMs ?? this.#startedAtMs));
    // By the clock it may all be done, but it has not been heard that it is.
    const last = this.#options.plan.stages.length - 1;
    const most = session.delivery(last).result === undefined ? 99 : 100;
    const percent = String(Math.min(most, Math.floor(done * 100)));
    return `Agent ${session.id} disconnected after ${elapsed} (completed ${percent}% of work)`;
  }
}
