/** PERF-07: what a controller needs for many agents. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Summary } from '../../src/controller/core/summary.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { cpuTicks } from '../support/agent-process.js';
import { residentBytes } from '../support/rehearsal/measurements.js';
import { ratio, spreadOf } from './measure.js';
import type { BenchOptions, RowResult } from './row.js';
import type { HostMessage } from './simulated/host.js';
import type { LoopDelay } from './simulated/loop-delay.js';

const hostProgram = fileURLToPath(new URL('./simulated/host.js', import.meta.url));
const loopWatch = new URL('./simulated/loop-watch.js', import.meta.url).href;
const controllerProgram = fileURLToPath(
  new URL('../../../bin/bench-controller.js', import.meta.url),
);

const hosts = 2;
/** After the start, before the measurement. */
const settleMs = 5000;
const measuredMs = 20_000;
const stageSeconds = (settleMs + measuredMs) / 1000 + 5;

const most = { cpu: 0.25, mebibytes: 300, p99Ms: 20 };

interface ControllerFigures {
  /** Of one core. */
  readonly cpu: number;
  readonly mebibytes: number;
  readonly loop: LoopDelay;
  readonly wholeRunMs: number;
  /** Intervals that were counted in the totals only. */
  readonly dropped: number;
}

/** @param buckets that the histogram of each agent's second fills */
export async function simulatedAgents(
  { pairs }: BenchOptions,
  agents: number,
  buckets: number,
): Promise<RowResult> {
  const runs: ControllerFigures[] = [];
  for (let i = 0; i < Math.min(3, pairs); i++) runs.push(await controllerWith(agents, buckets));
  const cpu = spreadOf(runs.map((run) => run.cpu * 100));
  const mebibytes = spreadOf(runs.map((run) => run.mebibytes));
  const p99 = spreadOf(runs.map((run) => run.loop.p99Ms));
  const late = spreadOf(runs.map((run) => run.loop.maxMs));
  const dropped = Math.max(...runs.map((run) => run.dropped));
  return {
    row: 'PERF-07',
    what: `controller with ${String(agents)} simulated agents at 1 Hz, ${String(buckets)} buckets a second each`,
    ours: `${ratio(spreadOf(runs.map((run) => run.wholeRunMs / 1000)), 1)} s from start to end, of which ${String(stageSeconds)} s of load`,
    theirs: '–',
    result: `${ratio(cpu, 0)} % of a core`,
    remark: `memory ${ratio(mebibytes, 0)} MiB; loop delay p99 ${ratio(p99, 1)} ms, longest ${ratio(late, 0)} ms; ${String(dropped)} intervals dropped`,
    floor: `< ${String(most.cpu * 100)} %, < ${String(most.mebibytes)} MiB, p99 < ${String(most.p99Ms)} ms`,
    isMet:
      dropped === 0 &&
      cpu.median < most.cpu * 100 &&
      mebibytes.median < most.mebibytes &&
      p99.median < most.p99Ms,
  };
}

async function controllerWith(agents: number, buckets: number): Promise<ControllerFigures> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'muster-bench-'));
  const share = Math.ceil(agents / hosts);
  const started = Array.from({ length: hosts }, (_, index) =>
    startHost(index * share, Math.min(share, agents - index * share), buckets),
  );
  let controller: ChildProcess | undefined;
  try {
    const ports = (await Promise.all(started.map(({ ports }) => ports))).flat();
    const results = path.join(folder, 'results');
    const config = path.join(folder, 'config.json');
    fs.writeFileSync(config, JSON.stringify(configOf(ports)));
    const beganMs = systemClock.nowMs();
    controller = startController(['run', config, '--results', results, '--progress', 'lines']);
    const ended = once(controller, 'close');
    const began = Promise.all(started.map((host) => host.began));
    const early = await Promise.race([ended, began]);
    if (controller.exitCode !== null)
      throw new Error(`the controller ended early: ${String(early)}`);
    const figures = await measured(controller);
    const peak = watchMemory(controller);
    const [code] = (await ended) as [number | null];
    const wholeRunMs = systemClock.nowMs() - beganMs;
    const dropped = droppedIn(results, agents, code);
    return { ...figures, mebibytes: Math.round(peak() / 2 ** 20), wholeRunMs, dropped };
  } finally {
    controller?.kill('SIGKILL');
    for (const { process } of started) process.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function startHost(first: number, count: number, buckets: number) {
  const child = fork(hostProgram, [first, count, buckets].map(String));
  const ports = new Promise<readonly number[]>((resolve, reject) => {
    child.on('message', (message: HostMessage) => {
      if ('ports' in message) resolve(message.ports);
    });
    child.once('exit', () => {
      reject(new Error('a process of simulated agents ended'));
    });
  });
  const began = new Promise<void>((resolve) => {
    child.on('message', (message: HostMessage) => {
      if ('beganMs' in message) resolve();
    });
  });
  return { process: child, ports, began };
}

function startController(argv: readonly string[]): ChildProcess {
  return fork(controllerProgram, argv, {
    execArgv: [
      '--import',
      loopWatch,
      ...(process.env['MUSTER_BENCH_NODE'] ?? '').split(' ').filter(Boolean),
    ],
    // Notices of a fleet are thousands of lines; what goes wrong is in the results.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

function configOf(ports: readonly number[]): object {
  return {
    name: 'perf-07',
    agents: ports.map((port, index) => ({
      id: `agent-${String(index + 1)}`,
      address: `127.0.0.1:${String(port)}`,
    })),
    target: 'null:',
    // All agents of a fleet on two cores: connecting is not what is measured.
    timeouts: { connect: '60s', hello: '60s' },
    stages: [{ name: 'load', mix: 'read', duration: `${String(stageSeconds)}s` }],
  };
}

async function measured(
  controller: ChildProcess,
): Promise<Pick<ControllerFigures, 'cpu' | 'loop'>> {
  const pid = controller.pid ?? 0;
  await wait(settleMs);
  controller.send('begin');
  const [ticks, fromMs] = [cpuTicks(pid), systemClock.nowMs()];
  await wait(measuredMs);
  // Ticks are 1/100 s.
  const cpu = ((cpuTicks(pid) - ticks) * 10) / (systemClock.nowMs() - fromMs);
  const read = once(controller, 'message');
  controller.send('end');
  const [loop] = (await read) as [LoopDelay];
  return { cpu, loop };
}

/** The most memory that the process has had when it ends. */
function watchMemory(controller: ChildProcess): () => number {
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, residentBytes(controller.pid ?? 0));
    if (controller.exitCode === null) systemClock.after(100, look);
  };
  look();
  return () => peak;
}

/** @returns intervals that lost their place in the time line. @throws Error when the run did not go well otherwise */
function droppedIn(parent: string, agents: number, code: number | null): number {
  const [folder = ''] = fs.readdirSync(parent);
  const text = fs.readFileSync(path.join(parent, folder, 'summary.json'), 'utf8');
  const { coverage, measurement, reason } = JSON.parse(text) as Summary;
  const { agents_completed: completed } = coverage;
  const { missing_intervals: missing, dropped_live: dropped } = measurement;
  if (code === 0 && completed === agents && missing === 0) return dropped;
  throw new Error(
    `exit code ${String(code)}, ${String(completed)} of ${String(agents)} agents completed, ${String(missing)} intervals missing: ${String(reason)}`,
  );
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(ms, resolve));
}
