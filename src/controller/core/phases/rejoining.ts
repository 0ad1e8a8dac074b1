import { stageName } from '../../../shared/model/stage-name.js';
import type { AgentSession } from '../agent-session.js';
import { earliest } from '../earliest.js';
import { isLive, type RunContext } from './phase.js';

/** How often one agent is told to get ready for one stage; after that the stage does not wait for it. */
const mostAsks = 3;
/** A Start of this epoch arms nothing: it tells an agent that waits for an earlier stage to get ready for this one. */
const askEpoch = 0;

interface Ask {
  times: number;
  /** When it was told (Instant.ms), or could hear of it again; undefined: it has reacted. */
  sinceMs: number | undefined;
}

/**
 * Agents that wait for a stage which went on without them (they were hung) are told to leave that out and get ready for
 * the one that comes next. Whoever does not react within `collect`, or not after three times, sits this stage out.
 */
export class Rejoining {
  readonly #run: RunContext;
  readonly #stage: number;
  readonly #asks = new Map<AgentSession, Ask>();
  readonly #sittingOut = new Set<AgentSession>();

  constructor(run: RunContext, stage: number) {
    this.#run = run;
    this.#stage = stage;
  }

  /** Worth waiting for: it is ready for the stage, or can still become so. */
  expects(session: AgentSession): boolean {
    const { readyStage } = session;
    if (!isLive(session) || this.#sittingOut.has(session)) return false;
    return readyStage !== undefined && readyStage <= this.#stage;
  }

  /** Tells those who are to be told now. */
  poll(nowMs: number): void {
    for (const session of this.#run.sessions) {
      if (!this.#isBehind(session)) continue;
      const { times, sinceMs } = this.#asks.get(session) ?? { times: 0, sinceMs: undefined };
      if (sinceMs === undefined && times < mostAsks) {
        this.#asks.set(session, { times: times + 1, sinceMs: nowMs });
        this.#ask(session, times === 0);
      } else if (sinceMs === undefined || nowMs >= sinceMs + this.#patienceMs) {
        this.#sittingOut.add(session);
        const line = `Agent ${session.id} sits out stage ${this.#stageName}: it was told to get ready for it, and did not`;
        this.#run.outbox.notice('warn', line);
      }
    }
  }

  /** It has reacted in some way, and may be told again. */
  reacted(session: AgentSession): void {
    const ask = this.#asks.get(session);
    if (ask) ask.sinceMs = undefined;
  }

  /** It is heard again: what it was told reaches it only now. */
  isBack(session: AgentSession, nowMs: number): void {
    const ask = this.#asks.get(session);
    if (ask?.sinceMs !== undefined) ask.sinceMs = nowMs;
  }

  wakeAt(): number | undefined {
    let due: number | undefined;
    for (const [session, { sinceMs }] of this.#asks) {
      if (sinceMs === undefined || !this.#isBehind(session)) continue;
      due = earliest(due, sinceMs + this.#patienceMs);
    }
    return due;
  }

  /** The controller slept: its own absence is not the agents'. */
  shift(ms: number): void {
    for (const ask of this.#asks.values()) if (ask.sinceMs !== undefined) ask.sinceMs += ms;
  }

  /** Within reach, and waiting for an earlier stage. */
  #isBehind(session: AgentSession): boolean {
    const { readyStage, state, link } = session;
    if (!this.expects(session) || state !== 'READY' || !link.isOpen) return false;
    return readyStage !== undefined && readyStage < this.#stage;
  }

  #ask(session: AgentSession, isFirst: boolean): void {
    const { outbox } = this.#run;
    if (isFirst) {
      const line = `Agent ${session.id} rejoins at stage ${this.#stageName}: the one before went on without it`;
      outbox.notice('info', line);
    }
    session.askedStage = this.#stage;
    const stage = this.#stage;
    outbox.send(session.index, { kind: 'start', stage, epoch: askEpoch, atNs: 0n });
  }

  get #patienceMs(): number {
    return this.#run.plan.timeouts.collectMs;
  }

  get #stageName(): string {
    return stageName(this.#run.plan.stages, this.#stage);
  }
}
