import type { LogLevel } from '../../shared/kernel/log.js';
import type { RunSnapshot } from '../core/snapshot.js';
import type { Summary } from '../core/summary.js';
import { phaseProgress } from './live-lines.js';
import { noticeText, shown } from './run-view.js';
import type { RunView } from './run-view.js';

type Write = (text: string) => unknown;

/**
 * NDJSON for machines on one stream (docs/results.md), notices for people on the other. A `progress` object comes with
 * every update, once a second: an outside watchdog that misses some knows that the controller hangs.
 */
export class ProgressJson implements RunView {
  readonly #machines: Write;
  readonly #people: Write;
  readonly #verbose: boolean;

  constructor(machines: Write, people: Write, verbose: boolean) {
    this.#machines = machines;
    this.#people = people;
    this.#verbose = verbose;
  }

  update(snapshot: RunSnapshot): void {
    this.#machines(`${JSON.stringify(progressJson(snapshot))}\n`);
  }

  notice(level: LogLevel, line: string): void {
    if (!shown(level, this.#verbose)) return;
    this.#machines(`${JSON.stringify({ type: 'notice', level, line })}\n`);
    this.#people(`${noticeText(level, line)}\n`);
  }

  close(): void {
    // Every object is complete when it is written.
  }
}

/** The last object: the summary, and where the files are (null when they could not be written). */
export function summaryJson(summary: Summary, folder: string | null): string {
  return `${JSON.stringify({ type: 'summary', folder, summary })}\n`;
}

const nothingYet = {
  second: undefined,
  operations: 0,
  bytes: 0,
  p99Ns: undefined,
} as const;

function progressJson(snapshot: RunSnapshot): object {
  const { status, elapsedMs, lateMs } = snapshot;
  const { stage } = status;
  // Before a stage begins, what is known is of the one before.
  const isOfStage = stage === undefined || snapshot.live.stage === stage.index;
  const live = isOfStage ? snapshot.live : { ...snapshot.live, ...nothingYet };
  const loads = new Map(live.agents.map((load) => [load.index, load]));
  return {
    type: 'progress',
    elapsed_ms: Math.round(elapsedMs),
    late_ms: Math.round(lateMs),
    run_id: status.runId,
    phase: status.phase,
    stage: stage?.name ?? null,
    stage_elapsed_ms: stage ? Math.round(stage.elapsedMs) : null,
    stage_duration_ms: stage?.durationMs ?? null,
    progress: phaseProgress(snapshot) ?? null,
    operations: live.operations,
    bytes: live.bytes,
    // Nobody has reported a second yet: that is no rate of 0.
    operations_per_second: live.second === undefined ? null : live.operationsPerSecond,
    bytes_per_second: live.second === undefined ? null : live.bytesPerSecond,
    p99_ns: live.p99Ns ?? null,
    errors: live.errors,
    agents: status.agents.map((agent) => {
      const load = loads.get(agent.index);
      const latest = isOfStage ? load?.latest : undefined;
      return {
        id: agent.id,
        state: agent.state,
        link: agent.link,
        note: agent.note ?? null,
        silent_ms: Math.round(agent.silentMs),
        runner_silent_ms: agent.runnerSilentMs ?? null,
        latency_ms: agent.latencyMs ?? null,
        in_flight: agent.inFlight,
        oldest_in_flight_ms: agent.oldestInFlightMs,
        operations: isOfStage ? (load?.operations ?? 0) : 0,
        operations_per_second: latest?.operationsPerSecond ?? null,
        bytes_per_second: latest?.bytesPerSecond ?? null,
        p99_ns: latest?.p99Ns ?? null,
        errors: load?.errors ?? 0,
      };
    }),
  };
}
