import type { Log } from '../../shared/kernel/log.js';
import type { AgentMessage } from '../../shared/model/messages.js';
import { CheckpointMerge } from '../core/checkpoint-merge.js';
import type { RunRecord } from '../core/records.js';
import type { FetchOutcome } from './fetch-checkpoint.js';

export interface IntakeSinks {
  readonly record: (record: RunRecord) => void;
  readonly notice: Log;
  /** An agent's id. */
  readonly nameOf: (agent: number) => string;
}

/** Takes what agents kept of the run into its records, and says of each what came of it. */
export class CheckpointIntake {
  readonly #sinks: IntakeSinks;
  readonly #merge = new CheckpointMerge();
  readonly #news = new Map<number, number>();
  readonly #fetched = new Set<number>();

  constructor(sinks: IntakeSinks) {
    this.#sinks = sinks;
  }

  /** Every record of the run, also those that are made here. */
  learn(record: RunRecord): void {
    this.#merge.learn(record);
  }

  accept(agent: number, message: AgentMessage): void {
    const record = this.#merge.news(agent, message);
    if (!record) return;
    if (record.type === 'interval') {
      const { first, last } = record.interval;
      this.#news.set(agent, (this.#news.get(agent) ?? 0) + last - first + 1);
    }
    this.#sinks.record(record);
  }

  ended(agent: number, outcome: FetchOutcome): void {
    const { notice, nameOf } = this.#sinks;
    const id = nameOf(agent);
    switch (outcome.kind) {
      case 'fetched': {
        this.#fetched.add(agent);
        const seconds = String(this.#news.get(agent) ?? 0);
        notice('info', `Agent ${id}: checkpoint fetched, ${seconds}s of load that had not arrived`);
        if (outcome.damaged === 0) return;
        const pieces = String(outcome.damaged);
        notice('warn', `Agent ${id}: ${pieces} pieces of its checkpoint are damaged and left out`);
        return;
      }
      case 'nothing':
        this.#fetched.add(agent);
        notice('warn', `Agent ${id}: no checkpoint of this run (${outcome.reason})`);
        return;
      case 'failed':
        notice('warn', `Agent ${id}: its checkpoint cannot be fetched: ${outcome.reason}`);
    }
  }

  /** All that the agent kept is here. */
  has(agent: number): boolean {
    return this.#fetched.has(agent);
  }
}
