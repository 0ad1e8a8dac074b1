import type { AgentPlan } from '../../shared/model/plan.js';
import type { Contact } from './contact.js';
import { tenthSeconds } from './duration-text.js';
import type { LinkKeeper } from './link-keeper.js';
import type { Outbox } from './outbox.js';

export interface MessageDelaysOptions {
  readonly agent: AgentPlan;
  readonly link: LinkKeeper;
  readonly contact: Contact;
  readonly outbox: Outbox;
}

/** How long messages of one agent take, and what is said of it. */
export class MessageDelays {
  readonly #options: MessageDelaysOptions;
  #sleptUntilMs = -Infinity;

  constructor(options: MessageDelaysOptions) {
    this.#options = options;
  }

  roundTrip(ms: number, nowMs: number): void {
    if (!this.#wasSleptThrough(ms, nowMs)) this.#options.contact.roundTrip(ms);
    this.latency(ms, nowMs);
  }

  /** A round trip or the age of a message. */
  latency(ms: number, nowMs: number): void {
    if (this.#wasSleptThrough(ms, nowMs)) return;
    const { agent, link, contact, outbox } = this.#options;
    const delays = link.measured(ms);
    if (delays !== undefined) {
      const range = `${String(delays.firstMs)} ms to ${String(delays.capMs)} ms`;
      const line = `Agent ${agent.id}: messages take ${String(Math.round(ms))} ms; reconnect delays are now ${range}`;
      outbox.notice('debug', line);
    }
    if (!contact.measured(ms)) return;
    const line = `WARNING: Agent ${agent.id} message latency: ${tenthSeconds(ms)} (network issue?)`;
    outbox.notice('warn', line);
  }

  /** The controller slept until now: that is no delay of the network. */
  slept(nowMs: number): void {
    this.#sleptUntilMs = nowMs;
  }

  #wasSleptThrough(ms: number, nowMs: number): boolean {
    return nowMs - ms < this.#sleptUntilMs;
  }
}
