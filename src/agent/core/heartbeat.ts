import type { AgentMessage } from '../../shared/model/messages.js';
import type { AgentRun } from './run.js';
import type { ControlHealth } from './session-io.js';

const periodMs = 1_000;

/** Once a second in every state, as long as there is a stream to write it to. */
export class Heartbeat {
  #dueMs: number;
  #loopDelayNs = 0;
  #rssBytes = 0;

  constructor(nowMs: number) {
    this.#dueMs = nowMs + periodMs;
  }

  restart(nowMs: number): void {
    this.#dueMs = nowMs + periodMs;
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
    if (nowMs < this.#dueMs) return undefined;
    this.#dueMs = Math.max(this.#dueMs + periodMs, nowMs + periodMs / 2);
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
