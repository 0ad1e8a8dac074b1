import { readClock, type Cancel, type Clock } from '../../shared/kernel/clock.js';
import type { LogLevel } from '../../shared/kernel/log.js';
import type { ControllerMessage, HeldRange } from '../../shared/model/messages.js';
import { exitCodes } from '../../shared/model/outcome.js';
import type { LinkMetrics } from '../../shared/model/link-metrics.js';
import type { RunRecord } from '../core/records.js';
import type { RunEffect, RunEnd, RunInput } from '../core/run-io.js';
import type { Run } from '../core/run.js';

/** The connections of a run, one per agent; what they hear goes to the `feed` they were made with. */
export interface AgentLinks {
  dial(agent: number, generation: number, held: readonly HeldRange[]): void;
  helloProbe(agent: number): void;
  send(agent: number, message: ControllerMessage): void;
  hangUp(agent: number, generation: number, reason: string): void;
  /** Counters over all streams of the agent's link. */
  metrics(agent: number): LinkMetrics;
  fetch(agent: number, instanceId: string): void;
  /**
   * Ends what is still open; resolves when every stream is closed, within a second, and what is being fetched is here:
   * in `fetchMs`, or as long as it takes.
   */
  close(fetchMs?: number): Promise<void>;
  /**
   * Tells every agent that is connected that it is free, and closes; what is not closed in a second is cut. Resolves with
   * the agents that did not take in all that they were told.
   */
  leave(reason: string): Promise<readonly number[]>;
  /** Cuts every stream without a word. */
  cut(): void;
}

/** Where a run's words and records go. */
export interface RunSinks {
  record(record: RunRecord): void;
  notice(level: LogLevel, line: string): void;
  /** An agent's answer to a preflight. */
  checked(agent: number, report: string): void;
}

/** After Ctrl-C nobody waits longer than this for what a restarted agent had kept: `recover` gets it, too. */
const hurriedFetchMs = 2000;

/** Timers later than this are followed by one more turn of the loop before they count: buffered messages come first. */
const lateMs = 50;

/**
 * Runs the machine: inputs from links, timers and signals in, effects out, until it has finished.
 * Inputs that come up while effects are carried out wait their turn, so a decision is never re-entered.
 */
export class RunDriver {
  readonly #run: Run;
  readonly #clock: Clock;
  readonly #sinks: RunSinks;
  readonly #links: AgentLinks;
  readonly #waiting: RunInput[] = [];
  readonly #finished: Promise<RunEnd>;
  #settle: { resolve: (end: RunEnd) => void; reject: (bug: unknown) => void } | undefined;
  #busy = false;
  #over = false;
  #leaving = false;
  #timer: { readonly atMs: number; readonly cancel: Cancel } | undefined;

  constructor(
    run: Run,
    clock: Clock,
    sinks: RunSinks,
    makeLinks: (feed: (input: RunInput) => void, onBug: (thrown: unknown) => void) => AgentLinks,
  ) {
    this.#run = run;
    this.#clock = clock;
    this.#sinks = sinks;
    this.#finished = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#links = makeLinks(
      (input) => {
        this.feed(input);
      },
      (thrown) => {
        this.fail(thrown);
      },
    );
  }

  /** Starts the run; resolves with its end after every link is closed. */
  async drive(): Promise<RunEnd> {
    this.feed({ kind: 'start' });
    const end = await this.#finished;
    await this.#links.close(end.exitCode === exitCodes.interrupted ? hurriedFetchMs : undefined);
    return end;
  }

  /** What went over an agent's link so far; `latency` is the run's own, of round trips and the age of stats. */
  linkMetrics(agent: number): LinkMetrics {
    const counted = this.#links.metrics(agent);
    const latency = this.#run.sessions[agent]?.lookout.contact.latencies ?? counted.latency;
    return { ...counted, latency };
  }

  /**
   * Ends everything at once: a second Ctrl-C. What agents say while they are told is still recorded, for it is
   * acknowledged; nothing is decided by it. Who could not be told is named. The promise of `drive` stays open.
   */
  async leave(reason: string): Promise<void> {
    this.#leaving = true;
    const { outOfReach } = this.#run;
    const untold = await this.#links.leave(reason);
    this.#end();
    const words = this.#run.nameUntold([...outOfReach, ...untold], readClock(this.#clock));
    this.#leaving = false;
    for (const effect of words) this.#carryOut(effect);
  }

  feed(input: RunInput): void {
    this.#waiting.push(input);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#waiting.shift(); next && !this.#over; next = this.#waiting.shift()) {
        const now = readClock(this.#clock);
        const effects =
          next.kind === 'message' ? this.#run.hear(next, now) : this.#run.handle(next, now);
        for (const effect of effects) this.#carryOut(effect);
      }
    } catch (thrown) {
      this.fail(thrown);
    } finally {
      this.#busy = false;
    }
    this.#armTimer();
  }

  #armTimer(): void {
    const at = this.#over ? undefined : this.#run.wakeAt();
    if (at === this.#timer?.atMs) return;
    this.#disarm();
    if (at === undefined) return;
    const cancel = this.#clock.after(Math.max(0, at - this.#clock.nowMs()), () => {
      const late = this.#clock.nowMs() - at > lateMs;
      if (late) this.#timer = { atMs: at, cancel: this.#clock.after(0, this.#tick) };
      else this.#tick();
    });
    this.#timer = { atMs: at, cancel };
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    this.feed({ kind: 'tick' });
  };

  /** A bug: the run cannot go on, and main says so with the stack. */
  fail(thrown: unknown): void {
    this.#end();
    this.#links.cut();
    this.#settle?.reject(thrown);
  }

  #end(): void {
    this.#over = true;
    this.#disarm();
  }

  #carryOut(effect: RunEffect): void {
    if (this.#leaving && effect.kind !== 'record') return;
    switch (effect.kind) {
      case 'dial':
        this.#links.dial(effect.agent, effect.generation, effect.held);
        return;
      case 'helloProbe':
        this.#links.helloProbe(effect.agent);
        return;
      case 'send':
        this.#links.send(effect.agent, effect.message);
        return;
      case 'hangUp':
        this.#links.hangUp(effect.agent, effect.generation, effect.reason);
        return;
      case 'fetch':
        this.#links.fetch(effect.agent, effect.instanceId);
        return;
      case 'notice':
        this.#sinks.notice(effect.level, effect.line);
        return;
      case 'record':
        this.#sinks.record(effect.record);
        return;
      case 'checked':
        this.#sinks.checked(effect.agent, effect.report);
        return;
      case 'finished':
        this.#end();
        this.#settle?.resolve(effect);
        return;
      default:
        effect satisfies never;
    }
  }
}
