import { cpus } from 'node:os';
import type { Assignment, StageAssignment } from '../../shared/model/assignment.js';
import type { OperationKind } from '../../shared/model/operation.js';
import { unpaced } from '../../shared/model/pacing.js';
import type { SelfTest } from '../../shared/model/self-test.js';
import { nullEngine } from '../engines/registry.js';
import { meanBytesOf } from './choosing/bytes-of.js';
import { CpuUsage } from './cpu-usage.js';
import { Aborted } from './failure.js';
import type { RunnerParts } from './runner-parts.js';
import { LibuvWatch } from './libuv-watch.js';
import { Sampler } from './sampler.js';
import { noChurn, setUpWorkers } from './stage-workers.js';

const durationMs = 1_000;
/** Of what other stages have made: by themselves such stages find nothing to do. */
const consuming: ReadonlySet<OperationKind> = new Set(['delete', 'rename', 'rmdir']);

/**
 * Runs every shape of stage (threads, iodepth, access, mix) for a second, each operation done at once. Closed loop: an
 * open one costs about twice as much per operation.
 * @throws Aborted
 */
export async function selfTest(
  parts: RunnerParts,
  assignment: Assignment,
): Promise<readonly SelfTest[]> {
  const tests: SelfTest[] = [];
  const shapes = shapesOf(assignment.stages);
  for (const [filesDone, alike] of shapes.entries()) {
    const share = { filesDone, filesTotal: shapes.length, bytesDone: 0, bytesTotal: 0 };
    parts.emit({ kind: 'progress', phase: 'stage', ...share });
    const stages = alike.map((stage) => ({
      name: stage.name,
      wanted: wantedOf(assignment, stage),
    }));
    const [stage] = alike;
    if (stage !== undefined) tests.push({ stages, ...(await testOne(parts, assignment, stage)) });
  }
  return tests;
}

/** Where fio makes the load, Muster's generator does not matter. */
export function shapesOf(stages: readonly StageAssignment[]): readonly StageAssignment[][] {
  const shapes = new Map<string, StageAssignment[]>();
  for (const stage of stages) {
    if (stage.fio !== undefined) continue;
    const { threads, iodepth, access, mix } = stage;
    const shape = JSON.stringify([threads, iodepth, access, mix]);
    shapes.set(shape, [...(shapes.get(shape) ?? []), stage]);
  }
  return [...shapes.values()];
}

async function testOne(
  parts: RunnerParts,
  { dataset, ...assignment }: Assignment,
  stage: StageAssignment,
): Promise<Omit<SelfTest, 'stages'>> {
  const { control, base, signal } = parts;
  const mix = stage.mix.every(({ operation }) => consuming.has(operation))
    ? ([{ operation: 'stat', weight: 1 }] as const)
    : stage.mix;
  const limits = { durationMs, maxOperations: undefined, maxBytes: undefined };
  const bare: StageAssignment = { ...stage, ...unpaced, ...limits, mix, verify: false };
  // Content that nobody writes need not be made.
  const imaginary = { ...dataset, content: 'zero', verify: false } as const;
  const plan = { ...assignment, dataset: imaginary };
  const workers = await setUpWorkers(parts, plan, bare, nullEngine, noChurn);
  const { threads, iodepth } = stage;
  const pollingThreads = iodepth > 1 ? Math.min(threads, new LibuvWatch().rings) : 0;
  const usage = new CpuUsage(base);
  const stop = (): void => {
    control.stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  else control.openGate(1, base.now());
  await workers.done;
  signal.removeEventListener('abort', stop);
  if (signal.aborted) throw new Aborted();
  const { runnerCpu, hostCpu } = usage.look();
  const kinds = mix.map(({ operation }) => operation);
  const sampler = new Sampler(workers.memories, kinds, []);
  sampler.sample(true);
  const seconds = Math.max(1e-3, (sampler.last() - (sampler.first() ?? 0)) / 1e9);
  const hostCpus = cpus().length;
  return {
    threads,
    iodepth,
    operationsPerSecond: sampler.ended / seconds,
    cpuNsPerOperation: (runnerCpu * seconds * 1e9) / Math.max(1, sampler.ended),
    cpus: runnerCpu,
    othersCpus: Math.max(0, hostCpu * hostCpus - runnerCpu),
    hostCpus,
    pollingThreads,
  };
}

/** The most that the stage's rate asks of this agent, operations per second. */
function wantedOf({ agentCount, dataset }: Assignment, stage: StageAssignment): number | null {
  const { rate } = stage;
  if (rate === undefined) return null;
  const most = Math.max(...rate.steps.flatMap(({ from, to }) => [from, to])) / agentCount;
  const bytes = rate.unit === 'bytes' ? meanBytesOf(stage.mix, { ...stage, ...dataset }) : 1;
  return most / Math.max(1, bytes);
}
