import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentPlan } from '../../shared/model/plan.js';
import { burstPatienceMs, type ClockProbes } from './clock-probes.js';
import type { Contact } from './contact.js';
import { wholeSeconds } from './duration-text.js';
import type { Outbox } from './outbox.js';
import type { ClockEstimate } from './records.js';

export interface HearingOptions {
  readonly agent: AgentPlan;
  readonly probes: ClockProbes;
  readonly contact: Contact;
  readonly outbox: Outbox;
}

/** Bursts of clock probes in a row of which none may go unanswered. */
const mostUnanswered = 3;

/** Whether one agent hears us: it is asked for its clock, and by its answers it does. */
export class Hearing {
  readonly #options: HearingOptions;
  #unansweredBursts = 0;

  constructor(options: HearingOptions) {
    this.#options = options;
  }

  /** Nothing it says shows that it hears us, or it says nothing at all: an answer on the side means a dead stream. */
  isDoubtful(nowMs: number): boolean {
    return this.#unansweredBursts > 0 || this.#options.contact.isSilent(nowMs);
  }

  answered(clock: ClockEstimate): void {
    this.#unansweredBursts = 0;
    const { agent, outbox } = this.#options;
    outbox.record({ type: 'clock', agent: agent.index, clock });
  }

  /** Sends the probes that are due. */
  ask(now: Instant): void {
    const { agent, probes, outbox } = this.#options;
    for (const id of probes.due(now)) {
      outbox.send(agent.index, { kind: 'probe', id, t1Ns: now.ns });
    }
  }

  /** Ends a burst that had its time; a line when the agent is lost by that. */
  check(nowMs: number): string | undefined {
    const expired = this.#options.probes.expire(nowMs);
    if (expired === 'unanswered') return this.#unheard(nowMs);
    if (expired) this.answered(expired);
    return undefined;
  }

  /**
   * It may speak and not hear us: a link that is dead in one direction. It is asked on a fresh connection, where an
   * answer gives it a new stream; after three bursts without an answer it is lost.
   */
  #unheard(nowMs: number): string | undefined {
    const { agent, contact, outbox } = this.#options;
    // One that says nothing at all is judged by its silence.
    if (contact.isSilent(nowMs)) return undefined;
    this.#unansweredBursts += 1;
    if (this.#unansweredBursts < mostUnanswered) {
      outbox.push({ kind: 'helloProbe', agent: agent.index });
      return undefined;
    }
    const silence = wholeSeconds(mostUnanswered * burstPatienceMs);
    return `Agent ${agent.id} does not hear us (no clock probe answered for ${silence})`;
  }
}
