/** PERF-06: what the harness costs, measured on an engine that does nothing. */
import { stageOf } from '../support/runner-process.js';
import { count, ratio, spreadOf } from './measure.js';
import { benchAssignment, runStage } from './muster-side.js';
import type { BenchOptions, RowResult } from './row.js';

const fileSizeBytes = 256 * 1024 * 1024;

/** PERF-06: what an operation costs when it does nothing. */
export async function nullOverhead(
  { pairs, seconds }: BenchOptions,
  loop: 'closed' | 'open',
  access: 'random' | { readonly zipf: number } = 'random',
): Promise<RowResult> {
  // More than can be done: nothing waits for its schedule, every operation has both latencies.
  const steps = [{ from: 1e9, to: 1e9 }];
  const rate = loop === 'open' ? ({ unit: 'operations', steps } as const) : undefined;
  const isPlain = loop === 'closed' && access === 'random';
  const floorNs = isPlain ? 80 : 130;
  const stage = stageOf({ threads: 1, durationMs: seconds * 1000, access, rate });
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
    what: `\`null\`, ${loop} loop, ${access === 'random' ? 'uniform random' : `zipf ${String(access.zipf)}`}, 1 thread`,
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
