/** The rows of 3-measurement §6 that exist: each measures, and says what it found against its floor. */
import path from 'node:path';
import { stageOf } from '../support/runner-process.js';
import { fioRandomRead } from './fio-side.js';
import { count, measurePairs, ratio, spreadOf } from './measure.js';
import type { Spread } from './measure.js';
import { benchAssignment, benchFile, makeFile, removeFile, runStage } from './muster-side.js';
import { makeResident } from './page-cache.js';

export interface BenchOptions {
  readonly target: string;
  readonly pairs: number;
  readonly seconds: number;
}

export interface RowResult {
  readonly row: string;
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
  /** The figure that the floor is about. */
  readonly result: string;
  readonly remark: string;
  readonly floor: string;
  readonly isMet: boolean;
}

const fileSizeBytes = 256 * 1024 * 1024;

/** PERF-01: cached 4 KiB random reads against fio's psync. */
export async function cachedRead(
  { target, pairs, seconds }: BenchOptions,
  threads: number,
  noatime: boolean,
): Promise<RowResult> {
  const stage = stageOf({ threads, noatime, durationMs: seconds * 1000 });
  const assignment = benchAssignment(target, [stage], fileSizeBytes);
  const file = path.join(target, benchFile);
  await makeFile(assignment);
  const results = await measurePairs(
    pairs,
    async () => {
      const { figures } = await runStage(assignment, () => {
        makeResident(file);
      });
      return figures;
    },
    () => {
      makeResident(file);
      return fioRandomRead(file, threads, seconds);
    },
  );
  await removeFile(assignment);
  const of = (figure: (pair: (typeof results)[number]) => number): Spread =>
    spreadOf(results.map(figure));
  const speed = of(({ ours, theirs }) => ours.perSecond / theirs.perSecond);
  const cpu = of(({ ours, theirs }) => theirs.cpuNsPerOperation / ours.cpuNsPerOperation);
  const floor = noatime ? 0.92 : 0.85;
  return {
    row: 'PERF-01',
    what: `file, cached 4 KiB random read, ${String(threads)} thread${threads > 1 ? 's' : ''}${noatime ? ', `noatime`' : ''}`,
    ours: `${count(of(({ ours }) => ours.perSecond).median)}/s`,
    theirs: `fio psync ${count(of(({ theirs }) => theirs.perSecond).median)}/s`,
    result: `${ratio(speed)} ×`,
    remark: `per CPU second ${ratio(cpu)} ×`,
    floor: `≥ ${floor.toFixed(2)} ×`,
    isMet: speed.median >= floor,
  };
}

/** PERF-06: what an operation costs when it does nothing. */
export async function nullOverhead(
  { pairs, seconds }: BenchOptions,
  loop: 'closed' | 'open',
): Promise<RowResult> {
  // More than can be done: nothing waits for its schedule, every operation has both latencies.
  const steps = [{ from: 1e9, to: 1e9 }];
  const rate = loop === 'open' ? ({ unit: 'operations', steps } as const) : undefined;
  const floorNs = loop === 'open' ? 130 : 80;
  const stage = stageOf({ threads: 1, durationMs: seconds * 1000, rate });
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < pairs; i++) {
    const { figures } = await runStage(benchAssignment('null:', [stage], fileSizeBytes));
    wall.push(1e9 / figures.perSecond);
    cpu.push(figures.cpuNsPerOperation);
  }
  const spread = spreadOf(wall);
  return {
    row: 'PERF-06',
    what: `\`null\`, ${loop} loop, uniform random, 1 thread`,
    ours: `${count(1e9 / spread.median)}/s`,
    theirs: `two clock readings ${clockNs().toFixed(0)} ns each`,
    result: `${ratio(spread, 0)} ns`,
    remark: `CPU ${ratio(spreadOf(cpu), 0)} ns`,
    floor: `≤ ${String(floorNs)} ns`,
    isMet: spread.median <= floorNs,
  };
}

/** PERF-06: the first second of many workers against the later ones: is everything compiled before the start? */
export async function firstSecond({ pairs }: BenchOptions): Promise<RowResult> {
  const threads = 64;
  const stage = stageOf({ threads, durationMs: 5000 });
  const ratios: number[] = [];
  let steady = 0;
  for (let i = 0; i < Math.min(3, pairs); i++) {
    const { intervals } = await runStage(benchAssignment('null:', [stage], fileSizeBytes));
    const counts = intervals.map((interval, k) => {
      const before = k === 0 ? 0 : (intervals[k - 1]?.operations[0]?.count ?? 0);
      return (interval.operations[0]?.count ?? 0) - before;
    });
    steady = spreadOf(counts.slice(1, 5)).median;
    ratios.push((counts[0] ?? 0) / steady);
  }
  const spread = spreadOf(ratios);
  return {
    row: 'PERF-06',
    what: `\`null\`, second 1 of ${String(threads)} workers`,
    ours: `steady ${count(steady)}/s`,
    theirs: 'its own later seconds',
    result: `${ratio(spread)} ×`,
    remark: '',
    floor: '≥ 0.70 ×',
    isMet: spread.median >= 0.7,
  };
}

/** Cost of reading the clock, the largest part of the overhead: tells machines apart. */
function clockNs(): number {
  const { hrtime } = process;
  const reads = 2_000_000;
  const begin = hrtime.bigint();
  let sum = 0;
  for (let i = 0; i < reads; i++) sum += hrtime()[1];
  const end = hrtime.bigint();
  return sum < 0 ? 0 : Number(end - begin) / reads;
}
