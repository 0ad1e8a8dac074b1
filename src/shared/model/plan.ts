/**
 * The resolved plan of a run: what a config file means once defaults, units, overrides and expansions are done. It is
 * what runs, what `validate` prints and what run.json records. Durations are milliseconds, sizes bytes.
 */
import type { OperationKind } from './operation.js';
import type { SizeSpec } from './sizes.js';
import type { Pacing } from './pacing.js';

export type Namespace = 'private' | 'shared';
/** compress: original size by compressed size. dedup: blocks of 4 KiB by different blocks of 4 KiB. Both at least 1. */
export type Content = 'random' | 'zero' | { readonly compress: number; readonly dedup: number };
/** Order in which operations choose among the blocks (read, write) or the files (get, stat, list). docs/workloads.md. */
export type Access =
  | 'sequential'
  | 'random'
  | 'shuffled'
  /** θ > 0. */
  | { readonly zipf: number }
  /** Fractions, 0 … 1: so much of the data gets so much of the operations. */
  | { readonly hotspot: { readonly data: number; readonly operations: number } }
  /** A chunk is one block when it is not given; without a stride the workers take turns chunk by chunk. */
  | {
      readonly strided: {
        readonly chunkBytes?: number | undefined;
        readonly strideBytes?: number | undefined;
      };
    };

/** When written data is forced to the device: never, at the end of the stage (per file), after every or every n-th write. */
export type Fsync = 'never' | 'end' | 'every' | number;

export interface BlockSizes {
  readonly read: SizeSpec;
  readonly write: SizeSpec;
}

/** Flag with which files are opened for writing. */
export type Sync = 'none' | 'o_sync' | 'o_dsync';

export type FailurePolicy = 'majority' | 'all' | 'any' | { readonly percent: number };

export interface AgentPlan {
  readonly index: number;
  readonly id: string;
  /** `host:port`; embedded agents get theirs when they have started. */
  readonly address: string;
  /** Its controller has started it, and it ends with that. Set with the address; not in journals of older versions. */
  readonly isEmbedded?: true;
  /** Path or URI with {agent} and {index} already expanded. */
  readonly target: string;
  /** Overrides the stage's threads. */
  readonly threads: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** More would not fit into a message. */
export const mostGivenPaths = 10_000;

/** What is there already, and is neither made nor removed: its owner names it, and the host's operator consents. */
export interface GivenData {
  readonly kind: 'existing' | 'devices';
  /** Absolute; {agent} and {index} stand for the agent's id and number, until split-plan puts them in. */
  readonly paths: readonly string[];
}

/** How the files are made: written in full before the first stage, or (`none`) only created, for a stage to write them. */
export type Prepare = 'none' | PrepareTuning;

export interface PrepareTuning {
  /** Undefined: twice the processors or the most threads of a stage, at most 32 and what the dataset is worth. */
  readonly threads: number | undefined;
  readonly blockSizeBytes: number;
  readonly direct: boolean;
}

export interface DatasetPlan {
  readonly name: string;
  /** Per agent in a private namespace, in total in a shared one. */
  readonly files: number;
  /** The largest. */
  readonly fileSizeBytes: number;
  /** When they are not all of one size. */
  readonly fileSizes: SizeSpec | undefined;
  /** Files are spread over width^depth leaf folders; depth 0 puts all into one. */
  readonly directories: { readonly width: number; readonly depth: number };
  readonly content: Content;
  /** What is written says of itself what it is, so that reads can be checked. */
  readonly verify: boolean;
  readonly keep: boolean;
  readonly prepare: Prepare;
  /** Instead of files that Muster makes; `files` is 0 then. */
  readonly given?: GivenData | undefined;
  /**
   * The seed as far as it is part of the dataset's hash: undefined when the config has none, so that the next command
   * (cleanup, --skip-prepare), which draws another seed, still knows the files.
   */
  readonly seed?: number | undefined;
}

export interface MixEntry {
  readonly operation: OperationKind;
  /** Relative to the sum of the stage's weights. */
  readonly weight: number;
}

export interface StagePlan extends Pacing {
  readonly index: number;
  readonly name: string;
  readonly mix: readonly MixEntry[];
  /** The largest. */
  readonly blockSizeBytes: number;
  /** When reads and writes do not all move blockSizeBytes. */
  readonly blockSizes: BlockSizes | undefined;
  readonly access: Access;
  /** Reads are checked. */
  readonly verify: boolean;
  /** Per agent. */
  readonly threads: number;
  readonly direct: boolean;
  readonly noatime: boolean;
  /** Operations each thread keeps in flight. */
  readonly iodepth: number;
  readonly sync: Sync;
  readonly fsync: Fsync;
  /** Job options for the host's own fio, which then makes the load of this stage; undefined: Muster's own engines do. */
  readonly fio: Readonly<Record<string, string>> | undefined;
  /** `fsync` means fdatasync(2). */
  readonly fdatasync: boolean;
  /** The page cache forgets the dataset's files before the stage. */
  readonly dropCache: boolean;
  readonly durationMs: number | undefined;
  /** For the whole run; split-plan divides it. */
  readonly maxOperations: number | undefined;
  readonly maxBytes: number | undefined;
  /** How many agents further on the one is whose data is read; undefined: its own. */
  readonly shift?: number | undefined;
}

export interface Timeouts {
  readonly connectMs: number;
  readonly helloMs: number;
  readonly prepareSilenceMs: number;
  readonly prepareIoStallMs: number;
  readonly pingAfterMs: number;
  readonly hungAfterMs: number;
  readonly collectMs: number;
  readonly drainMs: number;
  readonly abortMs: number;
  readonly cleanupMs: number;
  readonly reconnectWindowMs: number;
  readonly leaseMs: number;
  /** An operation that took longer is an error TIMEOUT; undefined: none is. */
  readonly operationMs: number | undefined;
}

export type ResultFormat = 'json' | 'csv' | 'hlog' | 'html';

/** A threshold: `<stage>.<operation>.<latency>.<percentile> < 5ms`, `<stage>.errors == 0`, `<stage>.<operation>.per_second > 1000`. */
export interface Expectation {
  /** As written in the config. */
  readonly text: string;
  readonly stage: string;
  readonly operation: OperationKind | undefined;
  readonly metric: string;
  readonly comparison: '<' | '<=' | '>' | '>=' | '==' | '!=';
  /** Latencies in nanoseconds, rates per second, counts as they are. */
  readonly value: number;
}

export interface Plan {
  readonly name: string;
  /** 0 … 2^32-1. */
  readonly seed: number;
  readonly namespace: Namespace;
  readonly agents: readonly AgentPlan[];
  readonly dataset: DatasetPlan;
  readonly stages: readonly StagePlan[];
  readonly expect: readonly Expectation[];
  readonly failurePolicy: FailurePolicy;
  readonly timeouts: Timeouts;
  readonly limits: { readonly concurrency: number };
  readonly maxStartSpreadMs: number;
  readonly results: { readonly folder: string; readonly formats: readonly ResultFormat[] };
  /** Paths of the controller's own certificates; what they hold is in no plan. */
  readonly tls?: {
    readonly ca?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
  };
}
