import type { Plan } from '../../shared/model/plan.js';
import type { Outbox } from './outbox.js';
import { counted } from '../../shared/kernel/counted.js';

/**
 * Which agents share the rates of the run, in equal parts. They are those that start a stage; of a stage that runs,
 * those that are lost for good (FAILED, ABORTED) leave, and the others take their parts over. One that is disconnected or
 * hung may still be loading and keeps its part: the target never gets more than the rate.
 */
export class RateDivision {
  readonly #plan: Plan;
  readonly #outbox: Outbox;
  #epoch = 0;
  #agents: readonly number[];
  /** The stage whose division was recorded last. */
  #recorded: number | undefined;

  constructor(plan: Plan, outbox: Outbox) {
    this.#plan = plan;
    this.#outbox = outbox;
    // As the assignments have it.
    this.#agents = plan.agents.map(({ index }) => index);
  }

  /**
   * These agents, by index, share the rate of the stage from now on. Nothing is sent where that is so already, but of each
   * stage that lacks agents the results tell it.
   */
  among(stage: number, agents: readonly number[]): void {
    const { rate, name } = this.#plan.stages[stage] ?? {};
    if (rate === undefined || agents.length === 0) return;
    if (!same(agents, this.#agents)) this.#send(agents);
    else if (agents.length === this.#plan.agents.length || stage === this.#recorded) return;
    this.#recorded = stage;
    this.#outbox.record({ type: 'share', stage, epoch: this.#epoch, agents: this.#agents });
    const of = `${String(agents.length)} of ${counted(this.#plan.agents.length, 'agent')}`;
    this.#outbox.notice('warn', `The rate of stage ${name ?? ''} is now divided over ${of}`);
  }

  #send(agents: readonly number[]): void {
    this.#epoch += 1;
    this.#agents = [...agents];
    const count = agents.length;
    for (const [index, agent] of agents.entries()) {
      this.#outbox.send(agent, { kind: 'share', epoch: this.#epoch, index, count });
    }
  }
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((agent, i) => agent === b[i]);
}
