import { readClock } from '../../shared/kernel/clock.js';
import type { Cancel, Clock } from '../../shared/kernel/clock.js';
import type { Log } from '../../shared/kernel/log.js';
import type { AgentSession } from '../core/session.js';
import type { ControlHealth, SessionEffect, SessionInput } from '../core/session-io.js';

type Effect<K extends SessionEffect['kind']> = Extract<SessionEffect, { readonly kind: K }>;

/** Who carries out what the session machine decides. */
export interface ControlParts {
  readonly session: AgentSession;
  readonly clock: Clock;
  readonly log: Log;
  readonly links: {
    accept(effect: Effect<'accept'>): void;
    refuse(effect: Effect<'refuse'>): void;
    send(effect: Effect<'send'>): void;
    /** Writes what `send` may have held back for company. */
    flush(): void;
    reportLink(): void;
    closeStream(effect: Effect<'closeStream'>): void;
    released(effect: Effect<'released'>): void;
  };
  readonly runners: {
    fork(runner: number, asynchronous: number): void;
    send(runner: number, command: Effect<'runner'>['command']): void;
    kill(runner: number): void;
  };
  readonly exit: (code: number) => void;
  readonly rssBytes: () => number;
  /** Nanoseconds of garbage collection since the last call. */
  readonly takeGcNs: () => number;
}

/**
 * Feeds the session machine: one input at a time, effects in order, a tick when the machine wants one. Without a
 * session it has no timer at all. Nothing here waits, so no turn of the loop is long.
 */
export class ControlLoop {
  readonly #parts: ControlParts;
  readonly #inputs: SessionInput[] = [];
  #working = false;
  #stopped = false;
  #timer: { readonly dueMs: number; readonly cancel: Cancel } | undefined;
  /** Since the last heartbeat, and since the last interval. */
  #loopDelayNs = 0;
  #intervalDelayNs = 0;

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  /** Also from within an effect: the input then waits until the effects before it are done. */
  feed(input: SessionInput): void {
    this.#inputs.push(input);
    if (this.#working) return;
    this.#working = true;
    const { clock } = this.#parts;
    const beganMs = clock.nowMs();
    try {
      for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) this.#turn(next);
    } finally {
      this.#working = false;
    }
    this.#observeDelay(clock.nowMs() - beganMs);
    this.#arm();
  }

  /** No more ticks. */
  stop(): void {
    this.#stopped = true;
    this.#disarm();
  }

  #turn(input: SessionInput): void {
    const isInterval = input.kind === 'runner' && input.event.kind === 'interval';
    const complete = isInterval ? this.#withOwnHealth(input) : input;
    this.#handle(complete);
    if (!isInterval) return;
    // At once, so that the heartbeat rides with it.
    this.#handle({ kind: 'tick', health: this.#health() });
    this.#parts.links.flush();
  }

  #handle(input: SessionInput): void {
    const { session, clock } = this.#parts;
    for (const effect of session.handle(input, readClock(clock))) this.#carryOut(effect);
  }

  /** An interval says how this process was meanwhile, too. */
  #withOwnHealth(input: SessionInput): SessionInput {
    if (input.kind !== 'runner' || input.event.kind !== 'interval') return input;
    const controlLoopDelayNs = this.#intervalDelayNs;
    this.#intervalDelayNs = 0;
    const controlGcNs = this.#parts.takeGcNs();
    return { ...input, event: { ...input.event, controlLoopDelayNs, controlGcNs } };
  }

  #arm(): void {
    const { session, clock } = this.#parts;
    const dueMs = session.wakeAt();
    if (dueMs === this.#timer?.dueMs) return;
    this.#disarm();
    if (dueMs === undefined || this.#stopped) return;
    const cancel = clock.after(Math.max(0, dueMs - clock.nowMs()), () => {
      this.#timer = undefined;
      this.#observeDelay(clock.nowMs() - dueMs);
      this.feed({ kind: 'tick', health: this.#health() });
    });
    this.#timer = { dueMs, cancel };
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #observeDelay(lateMs: number): void {
    const lateNs = Math.round(Math.max(0, lateMs) * 1e6);
    this.#loopDelayNs = Math.max(this.#loopDelayNs, lateNs);
    this.#intervalDelayNs = Math.max(this.#intervalDelayNs, lateNs);
  }

  #health(): ControlHealth {
    const loopDelayNs = this.#loopDelayNs;
    this.#loopDelayNs = 0;
    return { loopDelayNs, rssBytes: this.#parts.rssBytes() };
  }

  #carryOut(effect: SessionEffect): void {
    const { links, runners, log, exit } = this.#parts;
    switch (effect.kind) {
      case 'accept':
        links.accept(effect);
        return;
      case 'refuse':
        links.refuse(effect);
        return;
      case 'send':
        links.send(effect);
        return;
      case 'reportLink':
        links.reportLink();
        return;
      case 'closeStream':
        links.closeStream(effect);
        return;
      case 'released':
        links.released(effect);
        return;
      case 'forkRunner':
        runners.fork(effect.runner, effect.asynchronous);
        return;
      case 'runner':
        runners.send(effect.runner, effect.command);
        return;
      case 'killRunner':
        runners.kill(effect.runner);
        return;
      case 'log':
        log(effect.level, effect.line);
        return;
      case 'exit':
        exit(effect.code);
        return;
      default:
        effect satisfies never;
    }
  }
}
