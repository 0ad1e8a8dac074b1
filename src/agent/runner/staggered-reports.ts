import type { Cancel, Clock } from '../../shared/kernel/clock.js';
import type { Interval } from '../../shared/model/messages.js';

/** One agent costs a controller about 0.4 ms of CPU time in a second (measured with 1 000). */
const msPerAgent = 0.5;
const mostMs = 500;
/** What comes together costs the controller less: a sixth of its CPU time with 1 000 agents. */
const slotMs = 20;
/** Fewer agents are not spread. */
const fewAgents = 20;

/**
 * How long after the end of an interval an agent reports it: those of a thousand agents, which all end at one instant, are
 * spread over half a second, forty at once, so that the controller's event loop is not busy with them alone meanwhile.
 */
export function reportDelayMs({
  agentIndex,
  agentCount,
}: {
  readonly agentIndex: number;
  readonly agentCount: number;
}): number {
  if (agentCount < fewAgents) return 0;
  const ms = (Math.min(mostMs, msPerAgent * agentCount) * agentIndex) / agentCount;
  return Math.floor(ms / slotMs) * slotMs;
}

/** Passes intervals on, each a little later. */
export class StaggeredReports {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #emit: (interval: Interval) => void;
  #waiting: Interval | undefined;
  #cancel: Cancel = () => undefined;

  constructor(clock: Clock, delayMs: number, emit: (interval: Interval) => void) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#emit = emit;
  }

  put(interval: Interval): void {
    this.flush();
    this.#waiting = interval;
    if (this.#delayMs === 0) this.flush();
    else {
      this.#cancel = this.#clock.after(this.#delayMs, () => {
        this.flush();
      });
    }
  }

  /** Passes on what waits, before anything that comes after it. */
  flush(): void {
    this.#cancel();
    const interval = this.#waiting;
    this.#waiting = undefined;
    if (interval !== undefined) this.#emit(interval);
  }
}
