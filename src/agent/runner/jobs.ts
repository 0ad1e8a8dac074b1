/** What the runner and its worker threads say to each other by message; everything frequent is in shared memory. */
import type { DatasetAssignment, StageAssignment } from '../../shared/model/assignment.js';
import type { AgentErrorCode, EndedBy } from '../../shared/model/messages.js';
import type { BlockTables } from './choosing/aim.js';
import type { ChurnState } from './churn-pool.js';
import type { GivenFile } from './given-files.js';
import type { LaneShape } from './lane-memory.js';
import type { RunOfWrites } from './verify/generations.js';

/** Runs a stage: warms up, says `warm`, opens, says `open`, waits for the gate, works until a limit is reached, says `done`. */
export interface StageJob {
  readonly kind: 'stage';
  readonly engine: string;
  readonly stage: StageAssignment;
  readonly dataset: DatasetAssignment;
  /** What is there already, when the dataset is that. */
  readonly given?: readonly GivenFile[] | undefined;
  readonly agentIndex: number;
  /** The agent whose files, or in a shared namespace whose part of them, the stage goes to: this one, or by `shift` another. */
  readonly dataOf: number;
  /** Agents whose operations go to the same files. */
  readonly sharers: number;
  readonly seed: number;
  /** Makes written content differ between runs. */
  readonly salt: number;
  readonly lane: number;
  readonly lanes: number;
  readonly openFiles: number;
  readonly baseSeconds: number;
  readonly control: SharedArrayBuffer;
  readonly memory: SharedArrayBuffer;
  /** The same for the operations of the warm-up. */
  readonly warmupMemory: SharedArrayBuffer;
  /** Threads do not outnumber the CPUs: one that waits for a schedule may watch the clock. */
  readonly spin: boolean;
  /** timeouts.operation. */
  readonly operationMs: number | undefined;
  readonly churnFiles: ChurnState;
  readonly churnFolders: ChurnState;
  /** Where the blocks lie when files differ in size. */
  readonly tables: BlockTables | undefined;
  /** Whose files they are, for verification (ownerOf). */
  readonly owner: number;
  /** What is known of who wrote what last, for verification: WriteHistory. */
  readonly writes:
    { readonly buffer: SharedArrayBuffer; readonly runs: readonly RunOfWrites[] } | undefined;
  /** Where lanes with several operations in flight ask to be woken; undefined when no schedule has to be kept. */
  readonly alarms: SharedArrayBuffer | undefined;
}

/** Makes, checks or removes the dataset's files, in the working directory; workers share the work by `nextChunk`. */
export interface FilesJob {
  /** make: in full. create: empty, for a stage to write. */
  readonly kind: 'make' | 'create' | 'check' | 'remove';
  readonly dataset: DatasetAssignment;
  /** Complete files by the manifest. */
  readonly listed: readonly (readonly [number, number])[];
  readonly filesPerChunk: number;
  readonly salt: number;
  readonly worker: number;
  readonly workers: number;
  /** Whose files they are (ownerOf): agents with files of their own write different content. */
  readonly owner: number;
  /** Stages read the files and compare nothing: holes in them would pass for speed. */
  readonly refusesHoles: boolean;
  readonly control: SharedArrayBuffer;
  /** Float64: files gone through, bytes written, files made or removed. */
  readonly progress: SharedArrayBuffer;
}

/** Wakes the lanes of a stage that have their event loops to listen to (pacing/alarm-clock.ts). */
export interface AlarmJob {
  readonly kind: 'alarms';
  readonly lanes: number;
  readonly board: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly baseSeconds: number;
  /** How long before its instant a lane is woken. */
  readonly leadNs: number;
}

export type Job = StageJob | FilesJob | AlarmJob;

export type WorkerEvent =
  /** Compiled: what follows until `open` is up to the storage. */
  | { readonly kind: 'warm' }
  | { readonly kind: 'open'; readonly mechanism: string; readonly usesLibuv: boolean }
  | { readonly kind: 'warning'; readonly line: string }
  /** What was read is not what was written. */
  | { readonly kind: 'mismatch'; readonly line: string }
  /** The thread is there, with its content: what follows is up to the storage. */
  | { readonly kind: 'filesBegin' }
  /** These files are complete, or gone. */
  | { readonly kind: 'files'; readonly from: number; readonly to: number }
  | { readonly kind: 'filesDone' }
  | { readonly kind: 'alarmsReady' }
  | { readonly kind: 'alarmsDone' }
  | {
      readonly kind: 'stageDone';
      readonly endedBy: EndedBy;
      /** Ended by an error: which. */
      readonly stoppedBy: string;
      readonly churnFiles: ChurnState;
      readonly churnFolders: ChurnState;
    }
  | { readonly kind: 'failed'; readonly code: AgentErrorCode; readonly message: string };

/** Operations have instants to wait for. */
export function isPaced({ rate, thinkTimeNs }: StageAssignment): boolean {
  return rate !== undefined || thinkTimeNs > 0;
}

/** What runner and worker both take a lane's memory to look like. */
export function laneShapeOf(stage: StageAssignment): LaneShape {
  return {
    kinds: stage.mix.length,
    depth: stage.iodepth,
    openLoop: stage.rate !== undefined,
  };
}
