import type { AgentState } from '../../shared/model/agent-state.js';
import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentMessage, Owner } from '../../shared/model/messages.js';
import { exitCodes } from '../../shared/model/outcome.js';
import type { ExitCode } from '../../shared/model/outcome.js';
import { admit } from './admission.js';
import type { Departure, Verdict } from './admission.js';
import { earliest } from './alarm.js';
import { Reaper } from './reaper.js';
import type { Open, SessionEffect, SessionInput, SessionOptions } from './session-io.js';
import { Tenancy } from './tenancy.js';

/** A controller that comes back to a run that has left the agent is told why, of so many. */
const departuresKept = 16;

/**
 * The agent's session machine: who owns the agent, what its run does, when to give up on either. Pure: `handle` takes
 * one input and returns the effects to carry out, in order; `wakeAt` is when it wants a tick (Instant.ms).
 */
export class AgentSession {
  readonly #options: SessionOptions;
  readonly #reaper = new Reaper();
  #tenancy: Tenancy | undefined;
  #departed: readonly Departure[] = [];
  #runners = 0;
  /** Set once the agent is to leave, with this code, as soon as nobody owns it and no workload process is left. */
  #leaveWith: ExitCode | undefined;
  #left = false;
  #effects: SessionEffect[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get state(): AgentState {
    return this.#tenancy?.run.state ?? 'IDLE';
  }

  get owner(): Owner | undefined {
    return this.#tenancy?.owner;
  }

  /** Its controller is connected, and has just been heard. */
  ownerSpeaks(nowMs: number): boolean {
    return this.#tenancy?.speaks(nowMs) === true;
  }

  /** How a stream with this Open would be received now. Changes nothing. */
  verdict(open: Open, nowMs: number): Verdict {
    const stopping = this.#leaveWith !== undefined;
    const obstacles = { stopping, stuckRunner: this.#reaper.stuck };
    return admit(open, this.#tenancy?.ownership, obstacles, this.#departed, nowMs);
  }

  /** Is this the secret of the run that has the agent? */
  knows(runId: string, secret: string): boolean {
    const ownership = this.#tenancy?.ownership;
    return ownership?.owner.runId === runId && ownership.secret === secret;
  }

  handle(input: SessionInput, now: Instant): SessionEffect[] {
    this.#effects = [];
    this.#take(input, now);
    this.#settle(now);
    return this.#effects;
  }

  wakeAt(): number | undefined {
    return earliest(this.#tenancy?.wakeAt(), this.#reaper.wakeAt());
  }

  readonly #emit = (effect: SessionEffect): void => {
    this.#effects.push(effect);
  };

  #take(input: SessionInput, now: Instant): void {
    switch (input.kind) {
      case 'opened':
        this.#opened(input.stream, input.open, now);
        return;
      case 'message':
        if (this.#tenancy?.stream !== input.stream) return;
        this.#tenancy.message(input.message, input.receivedNs, now);
        return;
      case 'detached':
        if (this.#tenancy?.stream !== input.stream) return;
        this.#tenancy.streamLost(input.reason, now);
        return;
      case 'flushed':
        this.#tenancy?.flushed();
        return;
      case 'runner':
        if (this.#tenancy?.run.runner?.id !== input.runner) return;
        this.#tenancy.run.runnerEvent(input.event, now);
        return;
      case 'runnerExited':
        this.#reaper.exited(input.runner);
        if (this.#tenancy?.run.runner?.id !== input.runner) return;
        this.#tenancy.run.runnerExited(input.exit, now);
        return;
      case 'operatorStop':
        this.#operatorStop(input.signal, now);
        return;
      case 'recovered':
        if (this.#tenancy?.owner.runId !== input.runId) return;
        this.#tenancy.recovered(input.reason, now);
        return;
      case 'unspooled':
        this.#tenancy?.unspooled(input.line);
        return;
      case 'linkAdapted':
        this.#tenancy?.run.tell('debug', input.line);
        return;
      case 'tick':
        this.#tenancy?.tick(input.health, now);
        for (const runner of this.#reaper.tick(now.ms)) this.#emit({ kind: 'killRunner', runner });
        return;
      default:
        input satisfies never;
    }
  }

  #opened(stream: number, open: Open, now: Instant): void {
    const verdict = this.verdict(open, now.ms);
    switch (verdict.kind) {
      case 'refuse': {
        const { code, message, owner } = verdict;
        this.#emit({ kind: 'refuse', stream, code, message, owner });
        this.#emit({ kind: 'log', level: 'warn', line: `Refused ${open.identity}: ${message}` });
        return;
      }
      case 'resume':
        this.#tenancy?.resumed(stream, open.generation, now);
        return;
      case 'steal':
        this.#tenancy?.stolen(open, now);
        this.#remember(this.#tenancy?.departure);
        this.#admitted(stream, open, now);
        this.#emit({ kind: 'send', message: takenFrom(verdict.from) });
        return;
      case 'inherit':
        this.#tenancy?.inherited(open, now);
        this.#remember(this.#tenancy?.departure);
        this.#admitted(stream, open, now);
        return;
      case 'fresh':
        this.#admitted(stream, open, now);
    }
  }

  #admitted(stream: number, open: Open, now: Instant): void {
    this.#tenancy = new Tenancy(
      stream,
      open,
      {
        runId: open.runId,
        options: this.#options,
        reaper: this.#reaper,
        emit: this.#emit,
        nextRunner: () => ++this.#runners,
      },
      now,
    );
  }

  /** A second signal does not wait for anything. */
  #operatorStop(signal: string, now: Instant): void {
    if (this.#leaveWith !== undefined) {
      this.#leave(exitCodes.interrupted);
      return;
    }
    this.#emit({ kind: 'log', level: 'info', line: `Received ${signal} - stopping` });
    this.#leaveWith = this.#tenancy ? exitCodes.interrupted : exitCodes.completed;
    this.#tenancy?.operatorStop(now);
  }

  /** What follows from where the input led: a run that can be let go, an agent that can leave. */
  #settle(now: Instant): void {
    const tenancy = this.#tenancy;
    if (tenancy?.canRelease(now.ms)) {
      tenancy.release(now);
      this.#remember(tenancy.departure);
      this.#tenancy = undefined;
      if (this.#options.once && tenancy.run.hasBegun) this.#afterOneRun(tenancy.ownerIsGone);
    }
    if (this.#leaveWith === undefined || this.#tenancy) return;
    if (this.#reaper.empty || this.#reaper.stuck) this.#leave(this.#leaveWith);
  }

  #remember(departure: Departure | undefined): void {
    if (departure) this.#departed = [...this.#departed, departure].slice(-departuresKept);
  }

  #afterOneRun(ownerIsGone: boolean): void {
    const line = ownerIsGone ? 'Controller disconnected - exiting' : 'One run done - exiting';
    this.#emit({ kind: 'log', level: 'info', line });
    this.#leaveWith ??= exitCodes.completed;
  }

  #leave(code: ExitCode): void {
    if (this.#left) return;
    this.#left = true;
    this.#emit({ kind: 'exit', code });
  }
}

function takenFrom({ runId, identity }: Owner): AgentMessage {
  const line = `The agent was taken away from run ${runId} of ${identity} (--steal)`;
  return { kind: 'log', level: 'warn', line };
}
