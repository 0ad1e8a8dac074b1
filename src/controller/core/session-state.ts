import type { AgentState } from '../../shared/model/agent-state.js';
import type { AgentPlan } from '../../shared/model/plan.js';
import type { Outbox } from './outbox.js';
import type { SessionState } from './records.js';
import { hasEnded, sessionMayMove } from './transitions.js';

/**
 * What one agent is doing, as far as the controller knows. Messages come in lanes and may overtake each other: READY,
 * ARMED and the ends are moved to by their own messages only (an announcement of one may be out of date by the time it is
 * read), and what is announced before the agent took our last command up, or after its last word, is out of date as well.
 */
export class SessionStateKeeper {
  readonly #agent: Pick<AgentPlan, 'index' | 'id'>;
  readonly #outbox: Outbox;
  #state: SessionState = 'CONNECTING';
  /** Set by our own Cleanup until the agent announces that it cleans. */
  #awaitsCleaning = false;
  #cleaningUp = false;
  #told = false;

  constructor(agent: Pick<AgentPlan, 'index' | 'id'>, outbox: Outbox) {
    this.#agent = agent;
    this.#outbox = outbox;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** It was told to do something. */
  get wasTold(): boolean {
    return this.#told;
  }

  /** The agent announced its state. */
  announced(state: AgentState, reason: string): void {
    if (hasEnded(state) || state === 'IDLE' || state === 'READY' || state === 'ARMED') return;
    if (state === 'CLEANING') this.#awaitsCleaning = false;
    else if (this.#awaitsCleaning) return;
    if (!hasEnded(this.#state) || state === 'CLEANING') this.move(state, reason);
  }

  /** Told to clean up, and it has not said that it has. */
  get isCleaningUp(): boolean {
    return this.#cleaningUp;
  }

  cleanupSent(): void {
    this.move('CLEANING', 'told to clean up');
    this.#awaitsCleaning = true;
    this.#cleaningUp = true;
  }

  cleaned(): void {
    this.#awaitsCleaning = false;
    this.#cleaningUp = false;
  }

  /** Same to same is nothing; an impossible move is logged and not made. */
  move(to: SessionState, reason: string): boolean {
    const from = this.#state;
    if (from === to) return true;
    if (!sessionMayMove(from, to)) {
      // After its end an agent may still be heard: that is late, not impossible.
      if (!hasEnded(from)) {
        const line = `Agent ${this.#agent.id}: Invalid transition: ${from} -> ${to}`;
        this.#outbox.notice('warn', line);
      }
      return false;
    }
    this.#state = to;
    if (to === 'PREPARING' || to === 'CLEANING') this.#told = true;
    this.#outbox.record({ type: 'transition', agent: this.#agent.index, from, to, reason });
    return true;
  }
}
