import type { AgentPlan, Timeouts } from '../../shared/model/plan.js';
import type { Contact } from './contact.js';
import type { LinkKeeper } from './link-keeper.js';
import type { Outbox } from './outbox.js';
import type { FailureReason, SessionEvent } from './session-events.js';
import type { SessionStateKeeper } from './session-state.js';
import { stopsWithin } from './stops-within.js';
import { hasEnded } from './transitions.js';

export interface EndingOptions {
  readonly agent: AgentPlan;
  readonly timeouts: Timeouts;
  readonly states: SessionStateKeeper;
  readonly link: LinkKeeper;
  readonly contact: Contact;
  readonly outbox: Outbox;
  readonly emit: (event: SessionEvent) => void;
}

/** How long the result and the Final of an agent that reported an error may take to follow it. */
const lastWordsMs = 2000;

/** How one agent's part in the run ends early: it fails, is told to stop, or is lost, and what may still come of it. */
export class Ending {
  readonly #options: EndingOptions;
  #failure: string | undefined;
  #lastWordsUntilMs: number | undefined;
  #aborted = false;
  #fetched = false;
  /** Its Final has come. */
  hasSpokenLast = false;

  constructor(options: EndingOptions) {
    this.#options = options;
  }

  /** Why it is FAILED. */
  get failure(): string | undefined {
    return this.#failure;
  }

  fail(reason: FailureReason, line: string): void {
    if (this.#failure !== undefined || !this.#options.states.move('FAILED', line)) return;
    this.#failure = line;
    this.#options.emit({ kind: 'failed', reason, line });
  }

  /** It reported its failure: there is no load of it any more. */
  get hasFailedByItself(): boolean {
    return this.#lastWordsUntilMs !== undefined;
  }

  /** It was told to stop. */
  get isAborted(): boolean {
    return this.#aborted;
  }

  /** Tells it to stop, once. Reliable: the link keeps it for an agent that has no stream now. */
  abort(reason: string): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#options.outbox.send(this.#options.agent.index, { kind: 'abort', reason });
  }

  /** Failed in our judgement: it may not know, and is told to stop. */
  giveUp(reason: FailureReason, line: string): void {
    this.fail(reason, line);
    this.abort(line);
  }

  /** The agent reported its own failure: what it measured and its Final follow in a slower lane. */
  failedByItself(reason: FailureReason, line: string, nowMs: number): void {
    this.#lastWordsUntilMs = nowMs + lastWordsMs;
    this.fail(reason, line);
  }

  /** It cannot be reached any more. Who has ended has lost nothing by that. */
  gone(reason: FailureReason, line: string): void {
    const { states, link, outbox } = this.#options;
    if (hasEnded(states.state)) {
      outbox.notice('warn', line);
      link.close(line);
    } else this.fail(reason, line);
  }

  /** It was restarted: what its former process kept on its disk is worth having. Asked for once. */
  fetchKept(instanceId: string | undefined): void {
    if (instanceId === undefined || this.#fetched) return;
    this.#fetched = true;
    const { agent, outbox } = this.#options;
    outbox.push({ kind: 'fetch', agent: agent.index, instanceId });
  }

  /** Until when a FAILED agent's last words are worth waiting for; undefined: they are here, or will not come. */
  lastWordsUntilMs(nowMs: number): number | undefined {
    const { link } = this.#options;
    const untilMs = this.#lastWordsUntilMs ?? nowMs;
    return link.isOpen && !this.hasSpokenLast && nowMs < untilMs ? untilMs : undefined;
  }

  /** It was told to do something, and is not known to have ended that. */
  get isUnconfirmed(): boolean {
    const { states } = this.#options;
    return states.wasTold && states.state !== 'COMPLETED' && !this.hasSpokenLast;
  }

  /** Out of reach, and not known to have ended. */
  get mayStillWork(): boolean {
    const { link } = this.#options;
    return this.isUnconfirmed && (link.state === 'HUNG' || !link.isOpen);
  }

  /** The run ends without its confirmation: its dead man's switch ends its load, if it has not yet. */
  notReached(nowMs: number): void {
    // A process that was restarted has no load any more.
    if (this.#fetched || this.hasFailedByItself) return;
    const { agent, timeouts, contact, link, outbox } = this.#options;
    if (agent.isEmbedded === true) {
      // Only its death breaks a stream on this host, and no load of it outlives that.
      if (link.isOpen) outbox.notice('warn', `${agent.id} not reached; it ends with this command`);
      return;
    }
    const silentMs = nowMs - contact.heardAtMs;
    const lostForMs = link.lostAtMs === undefined ? undefined : nowMs - link.lostAtMs;
    const when = stopsWithin({ silentMs, lostForMs }, timeouts);
    if (when === undefined) return;
    outbox.notice('warn', `${agent.id} not reached; it stops by itself within ${when}`);
  }
}
