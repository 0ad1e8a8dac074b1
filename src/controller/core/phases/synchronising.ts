import type { Instant } from '../../../shared/kernel/clock.js';
import { WorkWatch } from '../work-watch.js';
import type { Phase, RunContext } from './phase.js';

/** Waits for the first clock estimate of every agent; the probes were started with each connection. */
export class Synchronising implements Phase {
  readonly judgedAs = 'startup';
  readonly #run: RunContext;

  constructor(run: RunContext) {
    this.#run = run;
  }

  name(): 'synchronising' {
    return 'synchronising';
  }

  enter(now: Instant): void {
    const { prepareSilenceMs, prepareIoStallMs } = this.#run.plan.timeouts;
    for (const session of this.#run.sessions) {
      session.lookout.watch = new WorkWatch(
        {
          agent: session.id,
          doing: 'startup',
          silenceMs: prepareSilenceMs,
          silent: 'crashed',
          stallMs: prepareIoStallMs,
        },
        now.ms,
      );
    }
  }

  on(): void {
    // poll() looks at the sessions themselves.
  }

  poll(now: Instant): void {
    if (!this.#run.sessions.every(({ clock }) => clock !== undefined)) return;
    this.#run.reached({ kind: 'synchronised' }, now);
  }

  wakeAt(): undefined {
    return undefined;
  }

  shift(): void {
    // No deadline of its own: the watches over silence end it.
  }

  stage(): undefined {
    return undefined;
  }
}
