import type { Cancel, Clock } from '../../shared/kernel/clock.js';
import type { LinkMetrics } from '../../shared/model/link-metrics.js';
import type { RunRecord } from '../core/records.js';

const everyMs = 1000;
/** One agent in so many each time, so that the counts of a large fleet are not all made in one turn of the loop. */
const turns = 30;

export interface LinkCountsOptions {
  readonly clock: Clock;
  /** How many. */
  readonly agents: number;
  readonly metrics: (agent: number) => LinkMetrics;
  readonly record: (record: RunRecord) => void;
}

/** Records what went over each agent's link so far: every thirty seconds until it is stopped [LINK-12]. */
export class LinkCounts {
  readonly #options: LinkCountsOptions;
  #turn = 0;
  #cancel: Cancel;

  constructor(options: LinkCountsOptions) {
    this.#options = options;
    this.#cancel = this.#next();
  }

  /** Of all agents, now. */
  recordAll(): void {
    for (let agent = 0; agent < this.#options.agents; agent += 1) this.#record(agent);
  }

  /** No more of them. */
  stop(): void {
    this.#cancel();
  }

  #next(): Cancel {
    return this.#options.clock.after(everyMs, () => {
      for (let agent = this.#turn; agent < this.#options.agents; agent += turns) {
        this.#record(agent);
      }
      this.#turn = (this.#turn + 1) % turns;
      this.#cancel = this.#next();
    });
  }

  #record(agent: number): void {
    const { metrics, record } = this.#options;
    record({ type: 'linkMetrics', agent, metrics: metrics(agent) });
  }
}
