import type { HeldRange } from '../../shared/model/messages.js';
import type { AgentPlan } from '../../shared/model/plan.js';
import { redialDelayMs } from './backoff.js';
import { earliest } from './earliest.js';
import type { Outbox } from './outbox.js';
import type { LinkState } from './records.js';
import type { DialFailure } from './run-io.js';
import { RedialPace } from './redial-pace.js';
import type { RedialDelays } from './redial-pace.js';
import { linkMayMove } from './transitions.js';

export interface LinkOptions {
  readonly agent: Pick<AgentPlan, 'index' | 'id'>;
  readonly reconnectWindowMs: number;
  readonly random: () => number;
  readonly outbox: Outbox;
  /** What Open is to say on a resume. */
  readonly held: () => readonly HeldRange[];
}

/** Answers after which dialling on is useless: somebody is there and says no. */
const finalRefusals: ReadonlySet<DialFailure> = new Set([
  'notMuster',
  'tls',
  'protocol',
  'busy',
  'secret',
  'token',
  'stopping',
]);

/** The last dial is made so long before the end of the window, or half as long: it takes its time, too. */
const lastDialMarginMs = 2000;

/** Nobody who speaks answered. */
export function isSilence(code: DialFailure): boolean {
  return !finalRefusals.has(code);
}

type Dial =
  | { readonly kind: 'none' }
  | { readonly kind: 'waiting'; readonly atMs: number }
  | { readonly kind: 'underWay' };

/**
 * The link to one agent over all its streams. Each dial has a new generation, and whatever comes from an older one is
 * not heard: a late close of an old stream cannot hurt the new one.
 */
export class LinkKeeper {
  readonly #options: LinkOptions;
  #state: LinkState = 'CONNECTING';
  #generation = 0;
  #dial: Dial = { kind: 'none' };
  #open = false;
  #attempt = 0;
  #lostAtMs: number | undefined;
  #lastCause = '';
  readonly #pace: RedialPace;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#pace = new RedialPace(options.reconnectWindowMs);
  }

  get state(): LinkState {
    return this.#state;
  }

  get generation(): number {
    return this.#generation;
  }

  /** A stream is up: messages can be sent. HUNG with an open stream is still open. */
  get isOpen(): boolean {
    return this.#open;
  }

  get isDialling(): boolean {
    return this.#dial.kind === 'underWay';
  }

  /** Why the last dial failed or the stream was lost. */
  get lastCause(): string {
    return this.#lastCause;
  }

  /** When the stream was lost (Instant.ms), while there is none in its place. */
  get lostAtMs(): number | undefined {
    return this.#lostAtMs;
  }

  /** How long messages take; the new delays of re-dialling when it changes them. */
  measured(latencyMs: number): RedialDelays | undefined {
    return this.#pace.measured(latencyMs);
  }

  dialNow(): void {
    this.#generation += 1;
    this.#dial = { kind: 'underWay' };
    this.#options.outbox.push({
      kind: 'dial',
      agent: this.#options.agent.index,
      generation: this.#generation,
      held: this.#generation === 1 ? [] : this.#options.held(),
    });
  }

  /** False: an answer to a dial that was given up. `silentMs`: nothing was heard of it for so long. */
  dialed(generation: number, silentMs = 0): boolean {
    if (generation !== this.#generation || this.#dial.kind !== 'underWay') return false;
    this.#dial = { kind: 'none' };
    this.#open = true;
    this.#attempt = 0;
    this.#lostAtMs = undefined;
    const more = this.#state === 'HUNG' ? { silentMs } : {};
    this.#move('CONNECTED', generation === 1 ? '' : 'reconnected', more);
    return true;
  }

  /** `stale`: not the current dial. `final`: no use to go on. `again`: a re-dial is scheduled. */
  dialFailed(
    generation: number,
    code: DialFailure,
    cause: string,
    nowMs: number,
  ): 'stale' | 'final' | 'again' {
    if (generation !== this.#generation || this.#dial.kind !== 'underWay') return 'stale';
    this.#dial = { kind: 'none' };
    this.#lastCause = cause;
    if (this.#state === 'CONNECTING' || finalRefusals.has(code)) return 'final';
    this.#scheduleDial(nowMs);
    return 'again';
  }

  /** False: not the stream of now. */
  lost(generation: number, cause: string, nowMs: number): boolean {
    if (generation !== this.#generation || !this.#open) return false;
    this.#drop(cause, nowMs);
    if (this.#options.reconnectWindowMs > 0) this.#scheduleDial(nowMs);
    return true;
  }

  /** The agent answers on a fresh connection, but not on this stream for `silentMs`: leave it and dial at once. */
  replaceDeadStream(nowMs: number, silentMs: number): void {
    const cause = 'stream is dead, agent answers on a new connection';
    this.#hangUp(cause);
    this.#drop(cause, nowMs, { silentMs });
    this.dialNow();
  }

  markHung(reason: string): void {
    this.#move('HUNG', reason);
  }

  /** Something arrived on the open stream after so long; true when that ends a HUNG. */
  heard(silentMs: number): boolean {
    if (this.#state !== 'HUNG' || !this.#open) return false;
    this.#move('CONNECTED', 'speaks again', { silentMs });
    return true;
  }

  /** When the stream was lost and the window to come back in has passed. */
  windowOver(nowMs: number): boolean {
    return this.#windowEndMs !== undefined && nowMs >= this.#windowEndMs;
  }

  /** There is little time left: what waits to be dialled is dialled now. */
  hurry(): void {
    if (this.#dial.kind !== 'waiting') return;
    this.#attempt = 0;
    this.dialNow();
  }

  /** Dials when the back-off is over. */
  tick(nowMs: number): void {
    if (this.#dial.kind === 'waiting' && nowMs >= this.#dial.atMs) this.dialNow();
  }

  /** Ends the link for good, whatever it is doing. */
  close(reason: string): void {
    if (this.#state === 'CLOSED') return;
    if (this.#open || this.#dial.kind === 'underWay') this.#hangUp(reason);
    this.#open = false;
    this.#dial = { kind: 'none' };
    this.#move('CLOSED', reason);
  }

  wakeAt(): number | undefined {
    const dialAt = this.#dial.kind === 'waiting' ? this.#dial.atMs : undefined;
    return earliest(dialAt, this.#windowEndMs);
  }

  /** The controller slept: its own absence is not the agent's. */
  shift(ms: number): void {
    if (this.#lostAtMs !== undefined) this.#lostAtMs += ms;
  }

  get #windowEndMs(): number | undefined {
    if (this.#state === 'CLOSED' || this.#lostAtMs === undefined) return undefined;
    return this.#lostAtMs + this.#options.reconnectWindowMs;
  }

  #scheduleDial(nowMs: number): void {
    const drawnMs = nowMs + redialDelayMs(this.#attempt, this.#options.random, this.#pace.delays);
    const last = this.#lastDialMs();
    this.#dial = { kind: 'waiting', atMs: last > nowMs ? Math.min(drawnMs, last) : drawnMs };
    this.#attempt += 1;
  }

  /** Close to the end of the window a dial is made for sure: no draw of a delay may lose an agent that is back by then. */
  #lastDialMs(): number {
    const marginMs = Math.min(lastDialMarginMs, this.#options.reconnectWindowMs / 4);
    return (this.#windowEndMs ?? -Infinity) - marginMs * (0.5 + this.#options.random() / 2);
  }

  #drop(cause: string, nowMs: number, more?: { readonly silentMs: number }): void {
    this.#open = false;
    this.#lastCause = cause;
    this.#lostAtMs = nowMs;
    this.#attempt = 0;
    // A hung agent whose stream breaks as well stays HUNG: it does not come alive again by that.
    if (this.#state === 'CONNECTED') this.#move('DISCONNECTED', cause, more);
  }

  #hangUp(reason: string): void {
    this.#options.outbox.push({
      kind: 'hangUp',
      agent: this.#options.agent.index,
      generation: this.#generation,
      reason,
    });
  }

  #move(to: LinkState, reason: string, more: { readonly silentMs?: number } = {}): void {
    if (this.#state === to) return;
    if (!linkMayMove(this.#state, to)) {
      const line = `Agent ${this.#options.agent.id}: Invalid transition: ${this.#state} -> ${to}`;
      this.#options.outbox.notice('error', line);
      return;
    }
    this.#state = to;
    this.#options.outbox.record({
      type: 'link',
      agent: this.#options.agent.index,
      to,
      generation: this.#generation,
      reason,
      ...more,
    });
  }
}
