/** PERF-08 and PERF-09: how agents start together, and what a run costs besides its load; with the real programs. */
import fs from 'node:fs';
import path from 'node:path';
import type { Summary } from '../../src/controller/core/summary.js';
import { startAgentProcess } from '../support/agent-process.js';
import type { AgentProcess } from '../support/agent-process.js';
import { Program } from '../support/program.js';
import { ratio, spreadOf } from './measure.js';
import type { BenchOptions, RowResult } from './row.js';

const shiftedClock = new URL(
  '../../src/controller/shell/rehearsal/shifted-clock.js',
  import.meta.url,
).href;
const mostSpreadMs = 2;
const mostRunSeconds = 4;

/** What is used of run.json. */
interface Manifest {
  readonly timeline: { readonly stages: readonly { readonly at_ms: number }[] };
  readonly agents: readonly {
    readonly clock: readonly { readonly at_ms: number; readonly offset_ns: string }[];
    readonly starts: readonly { readonly stage: number; readonly lateness_ns: number }[];
  }[];
}

/** PERF-08: eight agents on this machine, their clocks up to 3.5 s ahead of its own or behind it. */
export async function startSpreads({ pairs, target }: BenchOptions): Promise<RowResult> {
  const shiftsMs = Array.from({ length: 8 }, (_, index) => index * 1000 - 3500);
  const stages = Array.from({ length: Math.max(5, pairs) }, (_, index) => ({
    name: `start-${String(index + 1)}`,
    mix: 'read',
    // Eight loops without a pause on two cores would make the last agent wait for a core, however exact its start is.
    think_time: '10ms',
    duration: '1s',
  }));
  const env = (shiftMs: number): NodeJS.ProcessEnv => ({
    NODE_OPTIONS: `--import=${shiftedClock}`,
    MUSTER_CLOCK_SHIFT_MS: String(shiftMs),
  });
  const folder = fs.mkdtempSync(path.join(target, 'starts-'));
  const agents = await Promise.all(shiftsMs.map((ms) => startAgentProcess([], env(ms))));
  try {
    const { manifest, summary } = await runOn(agents, folder, { target: 'null:', stages });
    const starts = stages.map((_, stage) => trueSpreadMs(manifest, stage, shiftsMs));
    const told = summary.stages.map(({ start }) => (start?.spread_ns ?? NaN) / 1e6);
    const bounds = summary.stages.map(({ start }) => (start?.bound_ns ?? NaN) / 1e6);
    const spread = spreadOf(starts);
    return {
      row: 'PERF-08',
      what: `start spread of ${String(agents.length)} agents on one machine, clocks ±3.5 s, ${String(starts.length)} starts`,
      ours: `as published ${ratio(spreadOf(told))} ms`,
      theirs: '–',
      result: `${ratio(spread)} ms`,
      remark: `published bound ${ratio(spreadOf(bounds))} ms`,
      floor: `< ${String(mostSpreadMs)} ms`,
      isMet: spread.median < mostSpreadMs,
    };
  } finally {
    await stopAll(agents);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * By the machine's own clock, of which the agents' are shifted by a known time: lateness and error of the offset together,
 * of which a run without such help knows the first, and a bound of the second.
 */
function trueSpreadMs({ agents, timeline }: Manifest, stage: number, shiftsMs: number[]): number {
  const goneMs = timeline.stages[stage]?.at_ms ?? NaN;
  const afterT0 = agents.map(({ clock, starts }, index) => {
    const offsetNs = Number(clock.findLast(({ at_ms }) => at_ms <= goneMs)?.offset_ns);
    const latenessNs = starts.find((start) => start.stage === stage)?.lateness_ns ?? NaN;
    return latenessNs + offsetNs - (shiftsMs[index] ?? NaN) * 1e6;
  });
  return (Math.max(...afterT0) - Math.min(...afterT0)) / 1e6;
}

/** PERF-09: from enter to prompt. */
export async function fixedCost({ pairs, target }: BenchOptions): Promise<RowResult> {
  const folder = fs.mkdtempSync(path.join(target, 'runs-'));
  const agents = await Promise.all(Array.from({ length: 3 }, () => startAgentProcess()));
  try {
    const seconds: number[] = [];
    for (let i = 0; i < pairs; i++) {
      const config = {
        dataset: { files: 4, file_size: '64KiB' },
        stages: [{ name: 'load', mix: 'read', block_size: '4KiB', duration: '1s' }],
      };
      seconds.push((await runOn(agents, folder, config)).seconds);
    }
    const spread = spreadOf(seconds);
    return {
      row: 'PERF-09',
      what: 'run of 3 agents with a stage of 1 s, from enter to prompt',
      ours: `besides the load ${ratio(spreadOf(seconds.map((one) => one - 1)))} s`,
      theirs: '–',
      result: `${ratio(spread)} s`,
      remark: 'of which 1 s is the lead of the start, 2 s where the links are not quiet',
      floor: `< ${String(mostRunSeconds)} s`,
      isMet: spread.median < mostRunSeconds,
    };
  } finally {
    await stopAll(agents);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

interface MeasuredRun {
  readonly seconds: number;
  readonly manifest: Manifest;
  readonly summary: Summary;
}

/** @throws Error when it does not complete */
async function runOn(
  agents: readonly AgentProcess[],
  folder: string,
  config: object,
): Promise<MeasuredRun> {
  const home = fs.mkdtempSync(path.join(folder, 'run-'));
  const file = path.join(home, 'config.json');
  const targets = agents.map((_, index) => path.join(home, `target-${String(index + 1)}`));
  for (const target of targets) fs.mkdirSync(target);
  const named = agents.map(({ address }, index) => ({ address, target: targets[index] }));
  const isNull = 'target' in config;
  const entries = isNull ? agents.map(({ address }) => ({ address })) : named;
  fs.writeFileSync(file, JSON.stringify({ name: 'bench', agents: entries, ...config }));
  const results = path.join(home, 'results');
  const beganMs = performance.now();
  const program = new Program('bench-controller', ['run', file, '--results', results]);
  const { code } = await program.ended;
  const seconds = (performance.now() - beganMs) / 1000;
  if (code !== 0) throw new Error(`exit code ${String(code)}: ${program.output}`);
  const [name = ''] = fs.readdirSync(results);
  const read = (of: string): unknown =>
    JSON.parse(fs.readFileSync(path.join(results, name, of), 'utf8'));
  return {
    seconds,
    manifest: read('run.json') as Manifest,
    summary: read('summary.json') as Summary,
  };
}

async function stopAll(agents: readonly AgentProcess[]): Promise<void> {
  await Promise.all(agents.map(({ program }) => program.stop()));
}
