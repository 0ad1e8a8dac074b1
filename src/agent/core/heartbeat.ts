import type { AgentMessage } from '../../shared/model/messages.js';
import type { AgentRun } from './run.js';
import type { ControlHealth } from './session-io.js';

const periodMs = 1_000;
/** So much longer one waits for the interval that it goes beside. */
const graceMs = 100;

/**
 * Once a second in every state, as long as there is a stream to write it to. While intervals are sent it goes with them:
 * a controller of many agents then reads once a second of each, and not twice.
 */
export class Heartbeat {
  #dueMs: number;
  #isBesideInterval = false;
  #loopDelayNs = 0;
  #rssBytes = 0;

  constructor(nowMs: number) {
    this.#dueMs = nowMs + periodMs;
  }

  restart(nowMs: number): void {
    this.#dueMs = nowMs + periodMs;
  }

  /** An interval has just been sent. */
  besideInterval(): void {
    this.#isBesideInterval = true;
  }

  observe(health: ControlHealth): void {
    this.#loopDelayNs = Math.max(this.#loopDelayNs, health.loopDelayNs);
    this.#rssBytes = health.rssBytes;
  }

  wakeAt(): number {
    return this.#dueMs;
  }

  /** The next heartbeat, when its time has come. Beats that were slept through are not made up for. */
  due(run: AgentRun, nowMs: number): AgentMessage | undefined {
    const isBeside = this.#isBesideInterval;
    this.#isBesideInterval = false;
    if (nowMs < this.#dueMs - (isBeside ? periodMs / 2 + graceMs : 0)) return undefined;
    if (isBeside) this.#dueMs = nowMs + periodMs + graceMs;
    else this.#dueMs = Math.max(this.#dueMs + periodMs, nowMs + periodMs / 2);
    const loopDelayNs = this.#loopDelayNs;
    this.#loopDelayNs = 0;
    const runner = run.runner;
    return {
      kind: 'heartbeat',
      state: run.state,
      loopDelayNs,
      agentRssBytes: this.#rssBytes,
      runnerRssBytes: runner?.latest.rssBytes ?? 0,
      operations: runner?.latest.operations ?? 0,
      inFlight: runner?.latest.inFlight ?? 0,
      oldestInFlightNs: runner?.latest.oldestInFlightNs ?? 0,
      runnerSilenceNs: runner?.silenceNs(nowMs) ?? 0,
      starvedThreads: run.starvedThreads,
    };
  }
}
