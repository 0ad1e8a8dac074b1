import type { RunnerEvent } from '../runner/protocol.js';
import { Alarm } from './alarm.js';
import type { RunnerExit } from './session-io.js';

type Report = Extract<RunnerEvent, { kind: 'report' }>;

const noReport: Omit<Report, 'kind'> = {
  rssBytes: 0,
  operations: 0,
  inFlight: 0,
  oldestInFlightNs: 0,
};

/** One workload process as control sees it: when it last spoke, and what it said about itself. */
export class RunnerWatch {
  readonly id: number;
  #heardAtMs: number;
  #latest = noReport;
  /** It has come so far as to say anything. */
  hasSpoken = false;
  readonly #alarm = new Alarm();

  constructor(id: number, nowMs: number) {
    this.id = id;
    this.#heardAtMs = nowMs;
  }

  heard(event: RunnerEvent, nowMs: number): void {
    this.#heardAtMs = nowMs;
    this.hasSpoken = true;
    if (event.kind === 'report') this.#latest = event;
  }

  get latest(): Omit<Report, 'kind'> {
    return this.#latest;
  }

  silenceNs(nowMs: number): number {
    return Math.round(Math.max(0, nowMs - this.#heardAtMs) * 1e6);
  }

  wakeAt(silenceLimitMs: number): number {
    return this.#alarm.wakeAt(this.#heardAtMs + silenceLimitMs);
  }

  silentFor(silenceLimitMs: number, nowMs: number): boolean {
    return this.#alarm.expired(this.#heardAtMs + silenceLimitMs, nowMs);
  }
}

/** What the end of a workload process that was not asked to end means, in one sentence. */
export function exitText(exit: RunnerExit): string {
  if (exit.failure !== undefined) return `workload process could not be started: ${exit.failure}`;
  if (exit.signal === 'SIGKILL') return 'workload process was killed by SIGKILL (out of memory?)';
  if (exit.signal !== null) return `workload process was killed by ${exit.signal}`;
  return `workload process exited with code ${String(exit.code)} in the middle of its work`;
}
