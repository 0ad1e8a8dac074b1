/**
 * What one agent is to do in one run: made by the controller's split-plan, sent as JSON in Prepare, checked by the
 * agent with a strict schema of the same shape. The same assignment drives dry run, preflight, prepare, run, cleanup.
 */
import type { Pacing } from './pacing.js';
import type {
  Access,
  BlockSizes,
  Content,
  Fsync,
  GivenData,
  MixEntry,
  Namespace,
  Prepare,
  Sync,
} from './plan.js';
import type { SizeSpec } from './sizes.js';

/**
 * run: prepare, stages, then Cleanup on command. prepare: dataset only. cleanup: remove by manifest only.
 * check: preflight of the target, nothing is left behind.
 */
export type AssignmentMode = 'run' | 'prepare' | 'cleanup' | 'check';

/** Files `from` … `to`-1 of the dataset's numbering. */
export interface FileRange {
  readonly from: number;
  readonly to: number;
}

export interface DatasetAssignment {
  readonly name: string;
  /** H(dataset, namespace, agent count, seed), hex: two datasets with the same hash are interchangeable. */
  readonly hash: string;
  /** The largest. */
  readonly fileSizeBytes: number;
  readonly fileSizes: SizeSpec | undefined;
  readonly directories: { readonly width: number; readonly depth: number };
  readonly content: Content;
  /** What is written says of itself what it is, so that reads can be checked. */
  readonly verify: boolean;
  /** The files this agent makes and, at cleanup, removes. */
  readonly own: FileRange;
  /** The files this agent's operations choose from: its own in a private namespace, all in a shared one. */
  readonly use: FileRange;
  /**
   * Existing files or devices instead of files that Muster makes: `use` counts its paths, `own` is empty, and
   * `fileSizeBytes` says nothing: the agent finds their sizes.
   */
  readonly given?: GivenData | undefined;
  /** Of `given`, in the order of its paths: found by the agent, and not in what the controller sends. */
  readonly listedSizes?: readonly number[] | undefined;
  readonly prepare: Prepare;
  /** The dataset must be there already and complete (--skip-prepare). */
  readonly skipPrepare: boolean;
}

export interface StageAssignment extends Pacing {
  readonly index: number;
  readonly name: string;
  readonly mix: readonly MixEntry[];
  /** The largest. */
  readonly blockSizeBytes: number;
  readonly blockSizes: BlockSizes | undefined;
  readonly access: Access;
  /** Reads are checked. */
  readonly verify: boolean;
  readonly threads: number;
  readonly direct: boolean;
  readonly noatime: boolean;
  readonly iodepth: number;
  readonly sync: Sync;
  readonly fsync: Fsync;
  /** Job options of fio; undefined: Muster's own engines make the load. */
  readonly fio: Readonly<Record<string, string>> | undefined;
  readonly fdatasync: boolean;
  readonly dropCache: boolean;
  readonly durationMs: number | undefined;
  /** This agent's shares; the shares of all agents add up to the plan's limit. */
  readonly maxOperations: number | undefined;
  readonly maxBytes: number | undefined;
  /** How many agents further on the one is whose data is read; undefined: its own. */
  readonly shift?: number | undefined;
}

/**
 * Mode check, shared namespace: what to do with a file in the target by which agents see that they share it. `remove`
 * is all that is to be done then.
 */
export interface Sentinel {
  readonly name: string;
  readonly act: 'make' | 'find' | 'remove';
}

export interface Assignment {
  readonly runId: string;
  readonly mode: AssignmentMode;
  readonly agentIndex: number;
  readonly agentCount: number;
  readonly agentId: string;
  readonly target: string;
  readonly namespace: Namespace;
  readonly seed: number;
  /** user@host of the controller, for the dataset's marker. */
  readonly creator: string;
  readonly dataset: DatasetAssignment;
  readonly stages: readonly StageAssignment[];
  readonly sentinel?: Sentinel | undefined;
  readonly timeouts: {
    readonly drainMs: number;
    readonly abortMs: number;
    /** Silence of the controller on an open stream that ends the load. */
    readonly leaseMs: number;
    readonly reconnectWindowMs: number;
    /** A runner that has not reported for this long is killed (ping_after + hung_after). */
    readonly runnerSilenceMs: number;
    /** An operation that took longer is an error TIMEOUT; undefined: none is. */
    readonly operationMs: number | undefined;
  };
}

/** Whether any stage writes to the dataset's own files. */
export function writes(stages: readonly Pick<StageAssignment, 'mix'>[]): boolean {
  return stages.some(({ mix }) => mix.some(({ operation }) => operation === 'write'));
}
