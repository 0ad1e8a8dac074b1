import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import type {
  ConcurrentEngine,
  Engine,
  Operation,
  WriteContent,
} from '../../src/agent/engines/engine.js';
import { isBatched, spareBytesFor } from '../../src/agent/runner/batch/block-batch.js';
import { emptyChurn } from '../../src/agent/runner/churn-pool.js';
import { OperationStream } from '../../src/agent/runner/choosing/operation-stream.js';
import { alignedBuffer } from '../../src/agent/runner/content/aligned-buffer.js';
import { ClockBase } from '../../src/agent/runner/clock-base.js';
import { isPaced, laneShapeOf } from '../../src/agent/runner/jobs.js';
import type { AlarmJob, StageJob } from '../../src/agent/runner/jobs.js';
import { LaneMemory } from '../../src/agent/runner/lane-memory.js';
import { leadNs } from '../../src/agent/runner/pacing/alarm.js';
import { AlarmBoard } from '../../src/agent/runner/pacing/alarm-board.js';
import { LaneRun } from '../../src/agent/runner/pacing/lane-run.js';
import { Sampler } from '../../src/agent/runner/sampler.js';
import type { Verifier } from '../../src/agent/runner/verify/verifier.js';
import { RunControl } from '../../src/agent/runner/shared-memory.js';
import type { StageAssignment } from '../../src/shared/model/assignment.js';
import type { Rate } from '../../src/shared/model/pacing.js';
import { assignmentOf, stageOf } from './runner-process.js';
import { streamOptions } from './stream-options.js';

export const perSecond = (value: number, unit: Rate['unit'] = 'operations'): Rate => ({
  unit,
  steps: [{ from: value, to: value }],
});

type Perform = (operation: Operation) => number;

/** For engines of tests: their operations end at a later turn of the event loop. */
export const atNextTurn = setImmediate;

/** Until it `holds`; lanes of this thread go on meanwhile. */
export async function whileRunning(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

const nothing = (): void => undefined;

export function concurrent(start: ConcurrentEngine['start']): ConcurrentEngine {
  const kind = 'concurrent';
  return { kind, mechanism: 'fake', usesLibuv: false, start, finish: nothing, close: nothing };
}

/** Zeroes to write, with memory behind them for a batch. */
export function contentOf(blockBytes: number, blocks = 1): WriteContent {
  return { bytes: alignedBuffer(blocks * blockBytes, spareBytesFor(blockBytes)), take: () => 0 };
}

/** Does at once what it does; with an iodepth, what it did is heard at the next turn of the event loop. */
function doing(perform: Perform, iodepth: number): Engine {
  if (iodepth === 1) {
    return { kind: 'blocking', mechanism: 'fake', perform, finish: nothing, close: nothing };
  }
  return concurrent((operation, _buffer, done) => {
    setImmediate(done, null, perform(operation));
  });
}

/** A thread that rings the alarms of one lane, until the test is over. */
export async function alarmsFor(
  t: TestContext,
  control: RunControl,
  clock: ClockBase,
): Promise<AlarmBoard> {
  const board = new AlarmBoard(1);
  const { buffer } = control;
  const { seconds: baseSeconds } = clock;
  const script = new URL('../../src/agent/runner/worker.js', import.meta.url);
  const worker = new Worker(script, { workerData: { priority: 0 } });
  const job = { kind: 'alarms', lanes: 1, board: board.buffer, control: buffer } as const;
  worker.postMessage({ ...job, baseSeconds, leadNs } satisfies AlarmJob);
  assert.deepEqual(await once(worker, 'message'), [{ kind: 'alarmsReady' }]);
  t.after(async () => {
    const over = once(worker, 'message');
    board.end();
    control.stirAlarms();
    if (!control.isStopped) assert.deepEqual(await over, [{ kind: 'alarmsDone' }]);
    await worker.terminate();
  });
  return board;
}

/** One lane of a stage over an engine of the test's own. */
export async function laneLoad(
  t: TestContext,
  fields: Partial<StageAssignment>,
  engine: Engine | Perform,
  operationMs?: number,
  verifier?: Verifier,
  own: Partial<Pick<StageJob, 'seed' | 'agentIndex' | 'lane'>> = {},
) {
  const stage = stageOf({ threads: 1, ...fields });
  const verify = verifier !== undefined;
  const { dataset } = assignmentOf('/unused', [stage], { dataset: { verify } });
  const control = new RunControl();
  control.share.set([0, 1]);
  const memory = new LaneMemory(laneShapeOf(stage));
  const warmupMemory = new LaneMemory(laneShapeOf(stage));
  const clock = new ClockBase();
  const kinds = stage.mix.map(({ operation }) => operation);
  const job: StageJob = {
    kind: 'stage',
    engine: 'null',
    stage,
    dataset,
    agentIndex: 0,
    dataOf: 0,
    sharers: 1,
    seed: 1,
    salt: 1,
    lane: 0,
    lanes: 1,
    openFiles: 8,
    baseSeconds: clock.seconds,
    control: control.buffer,
    memory: memory.buffer,
    warmupMemory: warmupMemory.buffer,
    spin: true,
    tables: undefined,
    operationMs,
    churnFiles: emptyChurn,
    churnFolders: emptyChurn,
    owner: 1,
    writes: undefined,
    alarms:
      isPaced(stage) && stage.iodepth > 1 ? (await alarmsFor(t, control, clock)).buffer : undefined,
    ...own,
  };
  const stream = new OperationStream(
    streamOptions({
      mix: stage.mix,
      files: dataset.use,
      datasetHash: dataset.hash,
      fileSizeBytes: dataset.fileSizeBytes,
      blockSizeBytes: stage.blockSizeBytes,
    }),
  );
  const buffers = Array.from({ length: stage.iodepth }, () => new Uint8Array(stage.blockSizeBytes));
  const budget = {
    deadlineNs: Infinity,
    operations: stage.maxOperations ?? Infinity,
    bytes: Infinity,
  };
  const load = new LaneRun({
    job,
    engine: typeof engine === 'function' ? doing(engine, stage.iodepth) : engine,
    stream,
    control,
    memory,
    warmupMemory,
    buffers,
    content: contentOf(stage.blockSizeBytes),
    batched: isBatched(job, stage.blockSizeBytes),
    verifiers: buffers.flatMap(() => verifier ?? []),
    clock,
    budget,
  });
  const bytes = kinds.map((kind) => (kind === 'stat' ? 0 : stage.blockSizeBytes));
  const totals = (of = memory) => {
    const sampler = new Sampler([of], kinds, bytes);
    sampler.sample(true);
    return sampler.totals();
  };
  return { load, clock, control, totals, warmupMemory, memory };
}
