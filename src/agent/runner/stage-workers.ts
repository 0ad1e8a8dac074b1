import { availableParallelism } from 'node:os';
import type { Assignment, StageAssignment } from '../../shared/model/assignment.js';
import type { EndedBy } from '../../shared/model/messages.js';
import type { ParsedTarget } from '../engines/registry.js';
import { blockTablesFor } from './choosing/block-tables.js';
import { emptyChurn, redistribute } from './churn-pool.js';
import type { ChurnState } from './churn-pool.js';
import { dataOf } from './neighbour.js';
import { roomForFiles } from './open-files.js';
import { isPaced, laneShapeOf } from './jobs.js';
import type { AlarmJob, StageJob } from './jobs.js';
import { LibuvWatch } from './libuv-watch.js';
import type { RunnerParts } from './runner-parts.js';
import { startInTurns } from './start-in-turns.js';
import { leadNs } from './pacing/alarm.js';
import { AlarmBoard } from './pacing/alarm-board.js';
import { ownerOf } from './verify/verification.js';
import { LaneMemory } from './lane-memory.js';

/** What lanes have made in earlier stages of the run and may still remove. */
export interface Churn {
  readonly files: readonly ChurnState[];
  readonly folders: readonly ChurnState[];
}

const mismatchWord = 'verify: ';
const mostMismatches = 10;

export const noChurn: Churn = { files: [], folders: [] };

/** The workers of one stage: first opened and warmed, then set free by the gate, then done. */
export interface StageWorkers {
  readonly memories: readonly LaneMemory[];
  /** Of the warm-up; none without one. */
  readonly warmupMemories: readonly LaneMemory[];
  /** What did the I/O of so many operations. */
  mechanism(operations: number): string;
  /** What workers have warned of until now, each sentence once. */
  readonly warnings: ReadonlySet<string>;
  /** Resolves when an error has ended the load: says which (error_policy: stop). */
  readonly stopped: Promise<string>;
  /** How each ended; rejects with the first failure. */
  readonly done: Promise<{ readonly endedBy: readonly EndedBy[]; readonly churn: Churn }>;
}

/** @throws RunnerFailure when a worker cannot open what it needs */
export async function setUpWorkers(
  parts: RunnerParts,
  assignment: Assignment,
  stage: StageAssignment,
  engine: ParsedTarget['engine'],
  churn: Churn,
): Promise<StageWorkers> {
  const lanes = stage.threads;
  const files = redistribute(churn.files, lanes);
  const folders = redistribute(churn.folders, lanes);
  const openFiles = roomForFiles(lanes);
  const tables = blockTablesFor(assignment.dataset, stage);
  const neighbour = dataOf(assignment, stage);
  const warnings = new Set<string>();
  const engineIs = { words: '', usesLibuv: false };
  const newMemories = (): LaneMemory[] =>
    Array.from({ length: lanes }, () => new LaneMemory(laneShapeOf(stage)));
  const memories = newMemories();
  const warmupMemories = stage.warmupMs > 0 ? newMemories() : [];
  parts.control.reset();
  const lanesWatchClock = lanes <= availableParallelism();
  const alarms = stage.iodepth > 1 && isPaced(stage) ? new AlarmBoard(lanes) : undefined;
  const start = (lane: number) => {
    const memory = memories[lane]!;
    const job: StageJob = {
      kind: 'stage',
      engine: engine.name,
      stage,
      dataset: assignment.dataset,
      given: parts.given,
      agentIndex: assignment.agentIndex,
      dataOf: neighbour,
      sharers: assignment.namespace === 'shared' ? assignment.agentCount : 1,
      seed: assignment.seed,
      salt: parts.salt,
      lane,
      lanes,
      openFiles,
      baseSeconds: parts.base.seconds,
      control: parts.control.buffer,
      memory: memory.buffer,
      warmupMemory: (warmupMemories[lane] ?? memory).buffer,
      operationMs: assignment.timeouts.operationMs,
      spin: lanesWatchClock,
      churnFiles: files[lane] ?? emptyChurn,
      churnFolders: folders[lane] ?? emptyChurn,
      tables,
      owner: ownerOf({ ...assignment, agentIndex: neighbour }),
      // Of a neighbour's writes nothing is known here.
      writes: neighbour === assignment.agentIndex ? writesOf(parts) : undefined,
      alarms: alarms?.buffer,
    };
    let isWarm = (): void => undefined;
    let isOpen = (): void => undefined;
    const warm = new Promise<void>((resolve) => (isWarm = resolve));
    const open = new Promise<void>((resolve) => (isOpen = resolve));
    const done = parts.pool.carryOut(lane, job, (event) => {
      if (event.kind === 'warning') warnings.add(event.line);
      else if (event.kind === 'mismatch') sayMismatch(parts, warnings, event.line);
      else if (event.kind === 'warm') isWarm();
      else if (event.kind === 'open') {
        engineIs.words = event.mechanism;
        engineIs.usesLibuv = event.usesLibuv;
        isOpen();
      }
    });
    // Whoever waits for the end hears of a failure; during set-up `open` tells it first.
    done.catch(() => undefined);
    return { warm: Promise.race([warm, done]), open: Promise.race([open, done]), done };
  };
  const rings = alarms && ringAlarms(parts, lanes, alarms, lanesWatchClock ? leadNs : 0);
  const [started] = await Promise.all([startInTurns(parts, lanes, start), rings?.ready]);
  const lanesDone = Promise.all(started.map((worker) => worker.done)).finally(() => {
    alarms?.end();
    parts.control.stirAlarms();
  });
  const done = lanesDone.then(async (results) => {
    await rings?.done;
    const ends = results.filter((result) => result.kind === 'stageDone');
    return {
      endedBy: ends.map(({ endedBy }) => endedBy),
      churn: {
        files: [...ends.map(({ churnFiles }) => churnFiles), ...files.slice(lanes)],
        folders: [...ends.map(({ churnFolders }) => churnFolders), ...folders.slice(lanes)],
      },
    };
  });
  const stopped = new Promise<string>((resolve) => {
    for (const worker of started) {
      worker.done.then(
        (end) => {
          if (end.kind === 'stageDone' && end.endedBy === 'error') resolve(end.stoppedBy);
        },
        () => undefined,
      );
    }
  });
  done.catch(() => undefined);
  const { words, usesLibuv } = engineIs;
  const watch = usesLibuv ? new LibuvWatch() : undefined;
  const mechanism = (operations: number): string =>
    watch === undefined ? words : `${watch.mechanism(operations)} ${words}`;
  return { memories, warmupMemories, mechanism, warnings, stopped, done };
}

/** What can be sent to a thread. */
function writesOf({ writes }: RunnerParts): StageJob['writes'] {
  return writes && { buffer: writes.buffer, runs: writes.runs };
}

/** One more thread, beside those of the lanes. It ends with them; what ends it before them ends them, too. */
function ringAlarms(
  { pool, control, base }: RunnerParts,
  lanes: number,
  board: AlarmBoard,
  leadNs: number,
): { readonly ready: Promise<unknown>; readonly done: Promise<unknown> } {
  const job: AlarmJob = {
    kind: 'alarms',
    lanes,
    board: board.buffer,
    control: control.buffer,
    baseSeconds: base.seconds,
    leadNs,
  };
  let isReady = (): void => undefined;
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  const done = pool.carryOut(lanes, job, ({ kind }) => {
    if (kind === 'alarmsReady') isReady();
  });
  done.catch(() => undefined);
  return { ready: Promise.race([ready, done]), done };
}

/** The first few are worth reading; how many there are, the errors of the stage tell. */
function sayMismatch({ emit }: RunnerParts, warnings: Set<string>, line: string): void {
  if ([...warnings].filter((other) => other.startsWith(mismatchWord)).length >= mostMismatches)
    return;
  warnings.add(`${mismatchWord}${line}`);
  emit({ kind: 'log', level: 'error', line: `${mismatchWord}${line}` });
}
