import fs from 'node:fs';
import type { OperationKind } from '../../shared/model/operation.js';
import type {
  DatasetPaths,
  Engine,
  EngineContext,
  EngineDefinition,
  StageOptions,
  WriteContent,
} from '../engines/engine.js';
import { Allowance } from './allowance.js';
import type { Budget } from './allowance.js';
import { firstOf, blockBatchFor, runClosedLoop } from './closed-loop.js';
import { ConcurrentLane } from './concurrent-lane.js';
import { emptyChurn } from './churn-pool.js';
import type { ChurnState } from './churn-pool.js';
import type { ClockBase } from './clock-base.js';
import type { LaneMemory } from './lane-memory.js';
import { lastAct } from './last-act.js';
import { OperationStream } from './choosing/operation-stream.js';
import type { StreamOptions } from './choosing/operation-stream.js';
import { errorRulesOf } from './error-rules.js';
import { Alarm } from './pacing/alarm.js';
import { ScheduledPace } from './pacing/pace.js';
import { PacedLane } from './pacing/paced-lane.js';
import { Schedule } from './pacing/schedule.js';
import { Waiter } from './pacing/waiter.js';
import { Recorder } from './recorder.js';
import { RunControl } from './shared-memory.js';
import { makeTemporaryFolder } from './temporary-folders.js';

/**
 * Counted, not timed: many workers on few cores get little of any time. Operations that are slow even in memory are
 * dominated by the kernel, and a tenth of them has to do.
 */
const warmOperations = 20_000;
const slowWarmOperations = 2_000;
/**
 * Before these come a few short lanes, some that end after so many operations and some without that limit: what only the end of a
 * lane comes by, and a budget that is no small integer, would otherwise be new to the compiled code. V8 throws it away then,
 * and the first second of all workers goes by compiling once more (seen with --trace-deopt).
 */
const shortLanes = [200, Infinity, 200, Infinity];
const shortNs = 200_000;
const quickKinds: ReadonlySet<OperationKind> = new Set(['read', 'write', 'get', 'stat']);
/** For stages that only remove. */
const removable = 500;
const warmBytes = 4096;
const warmOptions: Omit<StageOptions, 'iodepth'> = {
  direct: false,
  noatime: false,
  sync: 'none',
  fsync: 'never',
  fdatasync: false,
};

export interface WarmUp {
  readonly definition: EngineDefinition<StageOptions>;
  readonly context: EngineContext;
  /** To write from; another one than in earnest, which is to be as new afterwards. */
  readonly content: WriteContent;
  readonly stream: StreamOptions;
  /** The lane's own; as new afterwards. */
  readonly memory: LaneMemory;
  readonly buffers: readonly Uint8Array[];
  readonly clock: ClockBase;
  /** The stage has a rate or a think time. */
  readonly paced: boolean;
  /** Its operations are carried out in batches where the engine's can be. */
  readonly batched: boolean;
}

/** Faster than most operations and slower than some: what is late and what has to wait are both warmed. */
const warmRate = { unit: 'operations', steps: [{ from: 2e6, to: 2e6 }] } as const;

function warmPace(nowNs: number): ScheduledPace {
  const schedule = new Schedule({
    rate: warmRate,
    arrival: 'poisson',
    durationNs: Infinity,
    warmupNs: 0,
    phase: 0,
    share: 1,
    meanBytes: 1,
    keys: [0],
  });
  return new ScheduledPace(schedule, nowNs, Float64Array.of(0, 1), 1);
}

/**
 * Brings the hot path to full speed before the start is armed, so that the first second measures storage and not the
 * compiler: the same functions on objects of the same shapes, over /dev/zero and a folder in memory.
 */
export async function warmUp(parts: WarmUp): Promise<void> {
  const { definition, memory, clock } = parts;
  const scratch = new Scratch();
  try {
    const sizes = {
      files: { from: 0, to: 1 },
      blockSizeBytes: Math.min(parts.stream.blockSizeBytes, warmBytes),
      fileSizeBytes: Math.min(parts.stream.blockSizeBytes, warmBytes),
      fileSizes: undefined,
      listedSizes: undefined,
      blockSizes: undefined,
    };
    const context = { ...parts.context, ...sizes, paths: scratch, content: parts.content };
    const engine = await definition.open(
      { ...warmOptions, iodepth: parts.buffers.length },
      context,
    );
    const churn = scratch.removable(parts.context.kinds);
    const stream = new OperationStream({
      ...parts.stream,
      ...sizes,
      ...places(parts.stream),
      churn,
    });
    warmRecorder(memory);
    const isQuick = stream.kinds.every((kind) => quickKinds.has(kind));
    const most = isQuick ? warmOperations : slowWarmOperations;
    for (const operations of [...shortLanes, most]) {
      const budget = { deadlineNs: Infinity, operations, bytes: Infinity };
      // Set afterwards, as in earnest: to V8 it would be a constant otherwise.
      budget.deadlineNs = operations === Infinity ? clock.now() + shortNs : Infinity;
      await runLane(parts, engine, stream, budget);
    }
    lastAct(engine, memory, clock, 0);
    engine.close();
  } finally {
    scratch.remove();
  }
  memory.clear();
}

/** Latencies below 2048 ns, below 2^31 and above take their own paths through the layout. */
function warmRecorder(memory: LaneMemory): void {
  const recorder = new Recorder(memory);
  for (let i = 0; i < 100; i++) recorder.done(0, [i, 5000 + i, 3e9 + i][i % 3]!);
}

async function runLane(
  parts: WarmUp,
  engine: Engine,
  stream: OperationStream,
  budget: Budget,
): Promise<void> {
  const { clock, memory } = parts;
  const control = new RunControl();
  const allowance = new Allowance(stream, budget, control.flags);
  const rules = errorRulesOf({ mix: parts.stream.mix, stopOn: [] }, undefined);
  const begin = (): number => clock.now();
  // A new one each time, for the code is not to be made for that of warming up; and an operation at a time, so that what is
  // done between them comes as often as they do.
  const context = { files: { from: 0, to: 1 }, content: parts.content };
  const batch = parts.batched ? blockBatchFor(engine, context, parts, 0) : undefined;
  const lane = { ...parts, engine, stream, allowance, rules, verifiers: [], batch, begin };
  if (!parts.paced) {
    await runClosedLoop(lane);
    return;
  }
  const pace = warmPace(clock.now());
  const waiter = new Waiter(clock, control.flags, memory.cells, true);
  if (engine.kind === 'concurrent') {
    const pacing = { pace, waiter, alarm: new Alarm(control, undefined, 0, true) };
    const all = { allowance, memory, pacing, isLast: true, nextNs: Infinity };
    await new ConcurrentLane({ ...lane, engine }, all).run(all);
    return;
  }
  const buffer = firstOf(parts.buffers);
  const freeNs = -Infinity;
  const paced = new PacedLane({ ...lane, engine, buffer, pace, waiter, freeNs });
  while (paced.batch() === undefined);
}

/** As many places to choose from as in earnest, where no whole file is read or written: zipf over one is no zipf. */
function places({ mix, files, fileSizeBytes, listedSizes }: StreamOptions): Partial<StreamOptions> {
  if (!mix.every(({ operation }) => operation === 'read' || operation === 'write')) return {};
  const listed = listedSizes?.reduce((sum, bytes) => sum + bytes, 0);
  return { fileSizeBytes: listed ?? fileSizeBytes * (files.to - files.from) };
}

/** A file that reads and writes at once, and a folder in memory for what is made and removed. */
class Scratch implements DatasetPaths {
  readonly #home: string;

  constructor() {
    this.#home = makeTemporaryFolder('warm-up');
  }

  file(): string {
    return '/dev/zero';
  }

  folderOf(): string {
    return this.#home;
  }

  churnHome(): string {
    return this.#home;
  }

  churnFile(_lane: number, entry: number): string {
    return `${this.#home}/p${String(entry)}`;
  }

  churnFolder(_lane: number, entry: number): string {
    return `${this.#home}/d${String(entry)}`;
  }

  removable(kinds: ReadonlySet<OperationKind>): {
    readonly files: ChurnState;
    readonly folders: ChurnState;
  } {
    const numbers = Array.from({ length: removable }, (_, i) => i);
    const state = { next: removable, entries: Float64Array.from(numbers) };
    const files = kinds.has('delete') || kinds.has('rename');
    const folders = kinds.has('rmdir');
    for (const i of numbers) {
      if (files) fs.writeFileSync(this.churnFile(0, i), '');
      if (folders) fs.mkdirSync(this.churnFolder(0, i));
    }
    return { files: files ? state : emptyChurn, folders: folders ? state : emptyChurn };
  }

  remove(): void {
    fs.rmSync(this.#home, { recursive: true, force: true });
  }
}
