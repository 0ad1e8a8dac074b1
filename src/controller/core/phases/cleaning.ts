import type { Instant } from '../../../shared/kernel/clock.js';
import { counted } from '../../../shared/kernel/counted.js';
import type { AgentSession } from '../agent-session.js';
import { makesDataset } from '../makes-dataset.js';
import { WorkWatch } from '../work-watch.js';
import { isLive, type Phase, type RunContext } from './phase.js';

/** Has every agent remove what it made; in a shared dataset the first agent comes last and removes the marker. */
export class Cleaning implements Phase {
  readonly judgedAs = 'cleanup';
  readonly #run: RunContext;
  readonly #told = new Set<AgentSession>();

  constructor(run: RunContext) {
    this.#run = run;
  }

  name(): 'cleaning' {
    return 'cleaning';
  }

  enter(now: Instant): void {
    const { collectMs, cleanupMs } = this.#run.plan.timeouts;
    for (const session of this.#run.sessions) {
      session.lookout.watch = new WorkWatch(
        {
          agent: session.id,
          doing: 'cleanup',
          silenceMs: collectMs,
          silent: 'hung',
          stallMs: cleanupMs,
        },
        now.ms,
      );
    }
  }

  on(): void {
    // poll() looks at the sessions themselves.
  }

  poll(now: Instant): void {
    const [first, ...others] = this.#run.sessions;
    if (this.#run.plan.namespace === 'private') {
      if (this.#clean(this.#run.sessions, now)) this.#done(now);
      return;
    }
    if (!this.#clean(others, now)) return;
    // Without the marker nobody could remove later what is left.
    const mayRemoveMarker = others.every(({ cleaned }) => cleaned);
    if (!mayRemoveMarker || !first || this.#clean([first], now)) this.#done(now);
  }

  wakeAt(): undefined {
    return undefined;
  }

  shift(): void {
    // No deadline of its own: the watches over silence and progress end it.
  }

  stage(): undefined {
    return undefined;
  }

  /** Tells those who were not told; true when nothing more is to be waited for. */
  #clean(sessions: readonly AgentSession[], now: Instant): boolean {
    for (const session of sessions) {
      if (this.#told.has(session) || !isReachable(session) || !this.#mayClean(session)) continue;
      this.#told.add(session);
      this.#tell(session);
      session.lookout.work?.advanced(now.ms);
    }
    return sessions.every((session) => session.cleaned || !isReachable(session));
  }

  /** One that comes late from an earlier stage has to end that first. */
  #mayClean({ state }: AgentSession): boolean {
    if (this.#run.options.mode === 'cleanup') return state === 'IDLE';
    return state === 'COMPLETED' || state === 'READY';
  }

  #tell(session: AgentSession): void {
    if (this.#run.options.mode === 'cleanup') {
      const assignment = JSON.stringify(this.#run.options.assignments[session.index]);
      this.#run.outbox.send(session.index, { kind: 'prepare', assignment });
    } else this.#run.outbox.send(session.index, { kind: 'cleanup' });
    session.states.cleanupSent();
  }

  #done(now: Instant): void {
    const { sessions, plan, options, outbox } = this.#run;
    const makers = sessions.filter(({ context }) => makesDataset(plan, context.agent));
    const left = makers.filter(({ cleaned }) => !cleaned).map(({ id }) => id);
    if (left.length > 0) {
      const hint = options.mode === 'cleanup' ? '' : ': "bench-controller cleanup" removes it';
      outbox.warn(`Dataset not removed on ${left.join(', ')}${hint}`);
    } else if (options.mode === 'cleanup' && makers.length > 0) {
      // With another target or name than the run's there is nothing to remove, and the dataset stays where it is.
      const files = makers.reduce((sum, { removedFiles }) => sum + removedFiles, 0);
      if (files > 0) outbox.notice('info', `Removed ${counted(files, 'file')}`);
      else outbox.warn(`No file of dataset "${plan.dataset.name}" was found on any agent`);
    }
    this.#run.reached({ kind: 'cleaned' }, now);
  }
}

function isReachable(session: AgentSession): boolean {
  return isLive(session) && session.linkState !== 'CLOSED';
}
