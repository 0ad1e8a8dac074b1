import type { OperationStats } from '../../../shared/model/messages.js';
import type { RunnerEvent } from '../../runner/protocol.js';

/** Of the whole agent, for a scrape. */
export interface AgentFacts {
  readonly id: string;
  readonly version: string;
  readonly hostname: string;
  /** IDLE, READY, RUNNING … */
  readonly state: string;
  readonly residentBytes: number;
}

interface Counters {
  count: number;
  bytes: number;
  missed: number;
  readonly errors: Map<string, number>;
}

/**
 * What the workload processes of this agent have done since it was started, over all runs, in Prometheus' text format
 * 0.0.4. Fed by what they report once a second.
 */
export class LoadMetrics {
  readonly #totals = new Map<string, Counters>();
  /** Reported counters are cumulative within a stage: these are the last ones. */
  #latest = new Map<string, OperationStats>();
  #stage = '';
  #inFlight = 0;
  #hostCpu = 0;
  #runnerCpu = 0;

  accept(runner: number, event: RunnerEvent): void {
    if (event.kind === 'interval') {
      this.#inFlight = event.inFlight;
      this.#hostCpu = event.hostCpu;
      this.#runnerCpu = event.runnerCpu;
    } else if (event.kind === 'stageResult') this.idle();
    else return;
    const stage = `${String(runner)} ${String(event.stage)}`;
    if (stage !== this.#stage) this.#latest = new Map();
    this.#stage = stage;
    for (const stats of event.operations) this.#add(stats);
  }

  /** No workload process is at work. */
  idle(): void {
    this.#inFlight = 0;
    this.#hostCpu = 0;
    this.#runnerCpu = 0;
  }

  text({ id, version, hostname, state, residentBytes }: AgentFacts): string {
    const totals = [...this.#totals].sort(([a], [b]) => (a < b ? -1 : 1));
    const by = (pick: (counters: Counters) => number): readonly Sample[] =>
      totals.map(([operation, counters]) => [{ operation }, pick(counters)]);
    const errors = totals.flatMap(([operation, counters]) =>
      [...counters.errors].map(([code, count]): Sample => [{ operation, code }, count]),
    );
    return [
      metric('agent_info', 'gauge', 'Who this is.', [[{ id, version, hostname }, 1]]),
      metric('agent_state', 'gauge', 'The state of its run; IDLE without one.', [[{ state }, 1]]),
      metric(
        'operations_total',
        'counter',
        'Operations done without error.',
        by(({ count }) => count),
      ),
      metric(
        'bytes_total',
        'counter',
        'Bytes moved by them.',
        by(({ bytes }) => bytes),
      ),
      metric('errors_total', 'counter', 'Operations that failed, by errno name.', errors),
      metric(
        'missed_schedules_total',
        'counter',
        'Open loop: schedules that could not be met in time.',
        by(({ missed }) => missed),
      ),
      metric('operations_in_flight', 'gauge', 'At the last second.', [[{}, this.#inFlight]]),
      metric('host_cpu_ratio', 'gauge', "Share of the host's CPUs in use, under load.", [
        [{}, this.#hostCpu],
      ]),
      metric('workload_cpus', 'gauge', 'CPU seconds per second of the workload process.', [
        [{}, this.#runnerCpu],
      ]),
      metric('agent_resident_bytes', 'gauge', 'Memory of the control process.', [
        [{}, residentBytes],
      ]),
    ].join('');
  }

  #add(stats: OperationStats): void {
    const before = this.#latest.get(stats.operation);
    this.#latest.set(stats.operation, stats);
    let totals = this.#totals.get(stats.operation);
    if (!totals) {
      totals = { count: 0, bytes: 0, missed: 0, errors: new Map() };
      this.#totals.set(stats.operation, totals);
    }
    totals.count += stats.count - (before?.count ?? 0);
    totals.bytes += stats.bytes - (before?.bytes ?? 0);
    totals.missed += stats.missedSchedules - (before?.missedSchedules ?? 0);
    for (const { code, count } of stats.errors) {
      const known = before?.errors.find((one) => one.code === code)?.count ?? 0;
      totals.errors.set(code, (totals.errors.get(code) ?? 0) + count - known);
    }
  }
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

function metric(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  samples: readonly Sample[],
): string {
  const full = `muster_${name}`;
  const lines = samples.map(([labels, value]) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    return `${full}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${String(value)}`;
  });
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...lines, ''].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
