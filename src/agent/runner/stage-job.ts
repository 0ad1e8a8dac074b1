import { codeOf, reasonOf } from '../../shared/kernel/errors.js';
import type { StageAssignment } from '../../shared/model/assignment.js';
import type { EndedBy } from '../../shared/model/messages.js';
import type { OperationKind } from '../../shared/model/operation.js';
import type { EngineContext } from '../engines/engine.js';
import { UnfitDataset, stageOptionsOf } from '../engines/engine.js';
import { engines } from '../engines/registry.js';
import type { Budget } from './allowance.js';
import { isBatched, spareBytesFor } from './batch/block-batch.js';
import { ClockBase } from './clock-base.js';
import { alignedBuffer } from './content/aligned-buffer.js';
import { ContentPool, poolFor } from './content/content-pool.js';
import { DatasetLayout, homeOf } from './dataset-layout.js';
import { RunnerFailure, failureFrom } from './failure.js';
import { GivenPaths } from './given-files.js';
import type { StageJob, WorkerEvent } from './jobs.js';
import { isPaced, laneShapeOf } from './jobs.js';
import { LaneMemory } from './lane-memory.js';
import { closeFiles, lastAct } from './last-act.js';
import { largestBytesOf } from './choosing/bytes-of.js';
import { OperationStream } from './choosing/operation-stream.js';
import type { StreamOptions } from './choosing/operation-stream.js';
import { LaneRun } from './pacing/lane-run.js';
import { RunControl, gateFlag } from './shared-memory.js';
import { byteShareOf, shareOf } from './shares.js';
import { VerifiedContent } from './verify/pattern-content.js';
import { bufferBytes, verifierFor } from './verify/verification.js';
import { warmUp } from './warm-up.js';

const warmContentBytes = 65_536;
const pageBytes = 4096;
/** How long before T0 a worker wakes up to set up its loop, which no earlier stage has compiled, and to wait in it. */
const setUpNs = 20e6;

/** A worker's part of a stage, from opening the files to the last operation. @throws RunnerFailure */
export async function runStageJob(job: StageJob, say: (event: WorkerEvent) => void): Promise<void> {
  const { stackTraceLimit } = Error;
  // A failed operation costs half with no stack to collect, and a failing stage fails often.
  Error.stackTraceLimit = 0;
  try {
    await carryOut(job, say);
  } catch (error) {
    // At the opening, or, with more files than may be open at once, in the midst of the load.
    if (!(error instanceof UnfitDataset)) throw error;
    throw new RunnerFailure('dataset', `stage "${job.stage.name}": ${error.message}`);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function carryOut(job: StageJob, say: (event: WorkerEvent) => void): Promise<void> {
  const { stage } = job;
  const clock = new ClockBase(job.baseSeconds);
  const control = new RunControl(job.control);
  const memory = new LaneMemory(laneShapeOf(stage), job.memory);
  const buffers = buffersFor(bufferBytes(job), stage.iodepth);
  const definition = engines.find(({ name }) => name === job.engine);
  if (definition === undefined) throw new Error(`no engine ${job.engine}`);
  const context = contextOf(job, say);
  const stream = streamOptionsOf(job);

  const batched = isBatched(job, bufferBytes(job));
  const content = new ContentPool(job.dataset.content, warmContentBytes, [], spareBytesOf(job));
  const kind = { paced: isPaced(stage), batched };
  const warm = { definition, context, content, stream, memory, buffers, clock, ...kind };
  await warmUp(warm).catch((error: unknown) => {
    throw failureFrom(error, `stage "${stage.name}" cannot be warmed up over ${pathOf(error)}`);
  });
  say({ kind: 'warm' });
  const options = stageOptionsOf(stage);
  const engine = await definition.open(options, context).catch((error: unknown) => {
    throw openFailure(error, stage);
  });
  const budget = budgetOf(job);
  const operations = new OperationStream(stream);
  const warmupMemory = new LaneMemory(laneShapeOf(stage), job.warmupMemory);
  const load = {
    job,
    engine,
    stream: operations,
    content: context.content,
    batched,
    control,
    memory,
    warmupMemory,
    buffers,
    clock,
  };
  const verifiers = buffers.flatMap(() => verifierFor(job, clock, say) ?? []);
  const run = new LaneRun({ ...load, budget, verifiers });
  const usesLibuv = engine.kind === 'concurrent' && engine.usesLibuv;
  say({ kind: 'open', mechanism: engine.mechanism, usesLibuv });

  let endedBy: EndedBy | undefined;
  do {
    const start = waitForStart(control, clock);
    endedBy = start === undefined ? 'aborted' : await run.run(start.atNs, start.begin);
  } while (endedBy === undefined);
  let { stoppedBy } = run;
  // One error may end the load of all.
  if (endedBy === 'error') control.stop();
  const slot = Math.max(0, operations.kinds.indexOf('write'));
  const isWhole = endedBy !== 'error' && endedBy !== 'aborted';
  const unsynced = isWhole ? lastAct(engine, memory, clock, slot) : undefined;
  const unclosed = closeFiles(engine, memory, clock, slot);
  const code = unsynced ?? unclosed;
  if (isWhole && code !== undefined && stage.stopOn.includes('write')) {
    endedBy = 'error';
    stoppedBy = `write failed with ${code} (${unsynced === undefined ? 'closing its files' : 'fsync: end'})`;
    control.stop();
  }
  say({
    kind: 'stageDone',
    endedBy,
    stoppedBy,
    churnFiles: operations.files.state(),
    churnFolders: operations.folders.state(),
  });
}

function spareBytesOf(job: StageJob): number {
  const blockBytes = bufferBytes(job);
  return isBatched(job, blockBytes) ? spareBytesFor(blockBytes) : 0;
}

/** For each operation in flight, at the start of a page. */
function buffersFor(bytes: number, iodepth: number): Uint8Array[] {
  const stride = Math.ceil(bytes / pageBytes) * pageBytes;
  try {
    const all = alignedBuffer(stride * iodepth);
    const starts = Array.from({ length: iodepth }, (_, i) => i * stride);
    return starts.map((at) => all.subarray(at, at + bytes));
  } catch (error) {
    throw new RunnerFailure(
      'config',
      `no memory for ${String(iodepth)} × a block_size of ${String(bytes)} bytes in every thread (${reasonOf(error)}): use smaller blocks, fewer threads or less iodepth`,
    );
  }
}

function openFailure(error: unknown, { name, direct }: StageAssignment): RunnerFailure {
  const code = codeOf(error);
  const file = pathOf(error);
  if (code === 'ELOOP') {
    const message = `stage "${name}" does not open ${file}: it is a link now, and none is followed`;
    return new RunnerFailure('target', message);
  }
  const hint = direct && code === 'EINVAL' ? ' with direct: its file system has no O_DIRECT' : '';
  return failureFrom(error, `stage "${name}" cannot open ${file}${hint}`);
}

/** The message of a system error has its path, which reasonOf leaves out. */
function pathOf(error: unknown): string {
  return error instanceof Error && 'path' in error ? String(error.path) : 'its files';
}

/**
 * Sleeps until the gate is open and shortly before its instant. @returns that instant, and what begins
 * it unless it was replaced meanwhile; undefined when stopped before
 */
function waitForStart(
  control: RunControl,
  clock: ClockBase,
): { readonly atNs: number; readonly begin: () => boolean } | undefined {
  for (;;) {
    if (control.isStopped) return undefined;
    const gate = Atomics.load(control.flags, gateFlag);
    if (gate === 0) {
      Atomics.wait(control.flags, gateFlag, 0);
      continue;
    }
    const atNs = control.startNs[0] ?? 0;
    const leftNs = atNs - setUpNs - clock.now();
    if (leftNs <= 0) {
      return { atNs, begin: () => control.begin(gate) };
    }
    Atomics.wait(control.flags, gateFlag, gate, leftNs / 1e6);
  }
}

function contextOf(job: StageJob, say: (event: WorkerEvent) => void): EngineContext {
  const { dataset, stage, agentIndex, dataOf, lane, lanes, salt, given } = job;
  const writes = stage.mix.some(({ operation }) => operation === 'write' || operation === 'put');
  const totalBytes = writes ? undefined : 0;
  const leastBytes = bufferBytes(job) * (stage.iodepth > 1 ? 2 * stage.iodepth : 1);
  const spareBytes = spareBytesOf(job);
  const use = { workers: lanes, leastBytes, totalBytes, spareBytes };
  const home = homeOf(dataOf, agentIndex, job.sharers > 1);
  const pool = poolFor(dataset.content, use, [salt, stage.index, agentIndex, lane]);
  return {
    lane,
    kinds: new Set<OperationKind>(stage.mix.map(({ operation }) => operation)),
    paths:
      given === undefined
        ? new DatasetLayout(dataset.directories, agentIndex, dataset.use, home)
        : new GivenPaths(given),
    files: dataset.use,
    fileSizeBytes: dataset.fileSizeBytes,
    blockSizeBytes: stage.blockSizeBytes,
    openFiles: job.openFiles,
    verifies: stage.verify,
    content: dataset.verify ? new VerifiedContent(pool) : pool,
    warn: (line) => {
      say({ kind: 'warning', line });
    },
  };
}

function streamOptionsOf(job: StageJob): StreamOptions {
  const { stage, dataset } = job;
  return {
    mix: stage.mix,
    access: stage.access,
    files: dataset.use,
    fileSizeBytes: dataset.fileSizeBytes,
    fileSizes: dataset.fileSizes,
    listedSizes: dataset.listedSizes,
    blockSizeBytes: stage.blockSizeBytes,
    blockSizes: stage.blockSizes,
    datasetHash: dataset.hash,
    tables: job.tables,
    seed: job.seed,
    stage: stage.index,
    agent: job.sharers > 1 ? job.dataOf : job.agentIndex,
    sharers: job.sharers,
    worker: job.lane,
    workers: job.lanes,
    churn: { files: job.churnFiles, folders: job.churnFolders },
  };
}

/** The deadline is set when the start is known. */
function budgetOf(job: StageJob): Budget {
  const { stage, dataset, lane, lanes } = job;
  const sizes = { ...stage, ...dataset };
  const largest = Math.max(
    1,
    ...stage.mix.map(({ operation }) => largestBytesOf(operation, sizes)),
  );
  return {
    deadlineNs: Infinity,
    operations: shareOf(stage.maxOperations, lane, lanes),
    bytes: byteShareOf(stage.maxBytes, largest, lane, lanes),
  };
}
