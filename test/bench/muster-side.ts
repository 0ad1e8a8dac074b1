import { Histogram } from '../../src/shared/metrics/histogram.js';
import type { Interval } from '../../src/shared/model/messages.js';
import type { Assignment, StageAssignment } from '../../src/shared/model/assignment.js';
import { RunnerProcess, assignmentOf } from '../support/runner-process.js';
import type { Figures } from './measure.js';

/** The one file that both sides work on, relative to the target. */
export const benchFile = 'muster-bench/0/data/f0';

export function benchAssignment(
  target: string,
  stages: readonly StageAssignment[],
  fileSizeBytes: number,
): Assignment {
  const files = { from: 0, to: 1 };
  return assignmentOf(target, stages, {
    dataset: {
      name: 'muster-bench',
      hash: `bench${String(fileSizeBytes)}`,
      fileSizeBytes,
      own: files,
      use: files,
    },
  });
}

export interface StageRun {
  readonly figures: Figures;
  readonly intervals: readonly Interval[];
  /** What did the I/O, as the results name it. */
  readonly mechanism: string;
}

/** One stage through the real runner process, from READY on. `beforeStart`: while all wait for the start. */
export async function runStage(
  assignment: Assignment,
  beforeStart: () => Promise<void> = () => Promise.resolve(),
): Promise<StageRun> {
  const deepest = Math.max(
    ...assignment.stages.map((s) => (s.iodepth > 1 ? s.iodepth * s.threads : 0)),
  );
  const runner = new RunnerProcess(deepest);
  try {
    runner.prepare(assignment);
    await runner.event('ready');
    await beforeStart();
    await runner.start(0);
    const result = await runner.event('stageResult');
    const [stats] = result.operations;
    if (stats === undefined || stats.count === 0 || stats.errors.length > 0) {
      throw new Error(`the stage failed: ${JSON.stringify(stats?.errors)}`);
    }
    const seconds = Number(result.lastOperationNs - result.firstOperationNs) / 1e9;
    const intervals = runner.all('interval');
    // Whole seconds only: the first also holds what came before T0, the last is cut off.
    const whole = intervals.slice(1, Math.floor(seconds));
    const before = intervals[0]?.operations[0]?.count ?? 0;
    const operations = (whole.at(-1)?.operations[0]?.count ?? 0) - before;
    const cpuSeconds = whole.reduce((sum, interval) => sum + interval.runnerCpu, 0);
    return {
      figures: {
        perSecond: stats.count / seconds,
        cpuNsPerOperation: (cpuSeconds * 1e9) / operations,
        ...latencyOf(stats.service),
      },
      intervals,
      mechanism: result.mechanism,
    };
  } finally {
    await runner.kill();
  }
}

/** @param service an encoded histogram */
export function latencyOf(service: Uint8Array): Pick<Figures, 'p50Ns' | 'p99Ns'> {
  const histogram = Histogram.decode(service);
  return { p50Ns: histogram.percentile(50), p99Ns: histogram.percentile(99) };
}

export async function makeFile(assignment: Assignment): Promise<void> {
  const runner = new RunnerProcess();
  try {
    runner.prepare({ ...assignment, mode: 'prepare' });
    await runner.event('prepared');
  } finally {
    await runner.kill();
  }
}

export async function removeFile(assignment: Assignment): Promise<void> {
  const runner = new RunnerProcess();
  try {
    runner.prepare({ ...assignment, mode: 'cleanup' });
    await runner.event('cleaned');
  } finally {
    await runner.kill();
  }
}
