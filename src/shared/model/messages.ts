/**
 * The messages of a session as both sides' code sees them: one member per kind of `Payload` in agent.proto, same
 * field names in camelCase. fixed64 is bigint, uint64 is a safe integer, bytes are Uint8Array, a message field that
 * may be absent is `| undefined`.
 */
import type { AgentState, EndState } from './agent-state.js';
import type { LinkReport } from './link-report.js';
import type { OperationKind } from './operation.js';
import type { LogLevel } from '../kernel/log.js';

export interface Owner {
  readonly runId: string;
  readonly identity: string;
  readonly sinceUnixMs: number;
}

export interface HelloReply {
  readonly product: string;
  readonly protocol: number;
  readonly version: string;
  readonly instanceId: string;
  readonly bootId: string;
  readonly agentId: string;
  readonly state: AgentState;
  readonly owner: Owner | undefined;
  /** Its controller is connected, and has just been heard. */
  readonly ownerSpeaks: boolean;
  readonly hostname: string;
  readonly tokenRequired: boolean;
  readonly checkpoints: readonly KeptCheckpoint[];
}

/** What an agent still has of a run that left it before its controller had everything. */
export interface KeptCheckpoint {
  readonly runId: string;
  readonly identity: string;
  /** Of the agent process that wrote it. */
  readonly instanceId: string;
  readonly savedUnixMs: number;
  readonly bytes: number;
}

export interface HeldRange {
  readonly stage: number;
  readonly first: number;
  readonly last: number;
}

export interface ErrorCount {
  readonly code: string;
  readonly count: number;
}

/** Cumulative counters; histograms of the interval only (of the whole stage in a stage result), sparse encoded. */
export interface OperationStats {
  readonly operation: OperationKind;
  readonly count: number;
  readonly bytes: number;
  readonly errors: readonly ErrorCount[];
  /** Open loop: issued late, because the operation before was still in flight, or not at all. */
  readonly missedSchedules: number;
  /** Of them, those that were due and not issued when the stage ended. */
  readonly unissuedSchedules: number;
  readonly service: Uint8Array;
  readonly response: Uint8Array;
  readonly failed: Uint8Array;
}

/** One second of load, or several merged: `first`…`last`, counted from T0. */
export interface Interval {
  readonly stage: number;
  readonly first: number;
  readonly last: number;
  readonly operations: readonly OperationStats[];
  readonly inFlight: number;
  readonly oldestInFlightNs: number;
  readonly sampledLateNs: number;
  readonly runnerCpu: number;
  readonly hostCpu: number;
  readonly runnerLoopDelayNs: number;
  readonly busiestThreadCpu: number;
  readonly lateWakeUps: number;
  readonly runnerGcNs: number;
  readonly controlLoopDelayNs: number;
  readonly controlGcNs: number;
}

export type EndedBy =
  'duration' | 'operations' | 'bytes' | 'exhausted' | 'aborted' | 'killed' | 'drained' | 'error';

export interface StageResult {
  readonly stage: number;
  readonly endedBy: EndedBy;
  readonly atNs: bigint;
  readonly firstOperationNs: bigint;
  readonly lastOperationNs: bigint;
  readonly intervals: number;
  readonly abandoned: number;
  readonly operations: readonly OperationStats[];
  /** What the warm-up did, apart; empty without one. `atNs` is its end. */
  readonly warmup: readonly OperationStats[];
  readonly mechanism: string;
  readonly warnings: readonly string[];
  /** From then on nothing was issued; 0: not known. */
  readonly endedNs: bigint;
  /** Histogram of the syncs that are no part of a write's latency, as fio times them; empty: there were none. */
  readonly syncs: Uint8Array;
}

export interface Progress {
  readonly phase: 'prepare' | 'cleanup' | 'threads' | 'stage' | 'wait';
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** What an agent did for its part of the dataset to be there. */
export interface Prepared {
  /** Made by this run. */
  readonly files: number;
  /** Written into them. */
  readonly bytes: number;
  /** Files that were there already, whole. */
  readonly kept: number;
  readonly tookNs: number;
}

export type AgentErrorCode =
  | 'config'
  | 'target'
  | 'dataset'
  | 'space'
  | 'permission'
  | 'crashed'
  | 'killed'
  | 'stuck'
  | 'lease'
  | 'stopped'
  | 'operations'
  | 'internal';

export type RefusalCode = 'busy' | 'protocol' | 'secret' | 'token' | 'stopping';

export type CommonMessage =
  | { readonly kind: 'nak'; readonly from: bigint }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'pong'; readonly id: number }
  /** keep: what the agent reported is not on the controller's disk. */
  | { readonly kind: 'goodbye'; readonly reason: string; readonly keep?: boolean };

export type ControllerMessage =
  | CommonMessage
  | {
      readonly kind: 'open';
      readonly protocol: number;
      readonly nonce: Uint8Array;
      readonly runId: string;
      readonly secret: string;
      readonly identity: string;
      readonly generation: number;
      readonly steal: boolean;
      readonly held: readonly HeldRange[];
      readonly received: bigint;
      /** Absent or empty: a session of the run. */
      readonly fetch?: string;
      /** Absent or 0: one. */
      readonly intervalsPerFrame?: number;
      /** Absent: no. */
      readonly takesBeside?: boolean;
    }
  | { readonly kind: 'confirm'; readonly proof: Uint8Array }
  | { readonly kind: 'lease'; readonly count: number }
  | { readonly kind: 'probe'; readonly id: number; readonly t1Ns: bigint }
  | { readonly kind: 'prepare'; readonly assignment: string }
  | {
      readonly kind: 'start';
      readonly stage: number;
      readonly epoch: number;
      readonly atNs: bigint;
    }
  | { readonly kind: 'go'; readonly stage: number; readonly epoch: number }
  | {
      readonly kind: 'share';
      readonly epoch: number;
      readonly index: number;
      readonly count: number;
    }
  | { readonly kind: 'abort'; readonly reason: string }
  | { readonly kind: 'cleanup' }
  | { readonly kind: 'fetch'; readonly abort: boolean; readonly reason: string }
  | { readonly kind: 'fetched' };

export type AgentMessage =
  | CommonMessage
  | {
      readonly kind: 'welcome';
      readonly nonce: Uint8Array;
      readonly proof: Uint8Array;
      readonly instanceId: string;
      readonly bootId: string;
      readonly version: string;
      readonly state: AgentState;
      readonly resumed: boolean;
      readonly received: bigint;
      readonly host: string;
    }
  | {
      readonly kind: 'refused';
      readonly code: RefusalCode;
      readonly message: string;
      readonly owner: Owner | undefined;
    }
  | {
      readonly kind: 'heartbeat';
      readonly state: AgentState;
      readonly loopDelayNs: number;
      readonly agentRssBytes: number;
      readonly runnerRssBytes: number;
      readonly operations: number;
      readonly inFlight: number;
      readonly oldestInFlightNs: number;
      readonly runnerSilenceNs: number;
      /** 0 unless it is a CPU that operations in flight wait for. */
      readonly starvedThreads: number;
    }
  | {
      readonly kind: 'probeReply';
      readonly id: number;
      readonly t1Ns: bigint;
      readonly t2Ns: bigint;
      readonly t3Ns: bigint;
      readonly unixMs: number;
    }
  | { readonly kind: 'state'; readonly state: AgentState; readonly reason: string }
  | ({ readonly kind: 'progress' } & Progress)
  | { readonly kind: 'target'; readonly facts: string }
  /** prepared: said when all of its part is there, and absent when only the folder is. */
  | { readonly kind: 'marked'; readonly prepared?: Prepared | undefined }
  | { readonly kind: 'ready'; readonly stage: number }
  | { readonly kind: 'armed'; readonly stage: number; readonly epoch: number }
  | {
      readonly kind: 'missed';
      readonly stage: number;
      readonly epoch: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'started';
      readonly stage: number;
      readonly epoch: number;
      readonly firstOperationNs: bigint;
      readonly atNs: bigint;
    }
  | ({ readonly kind: 'interval' } & Interval)
  | ({ readonly kind: 'stageResult' } & StageResult)
  | { readonly kind: 'cleaned'; readonly files: number; readonly warnings: readonly string[] }
  | { readonly kind: 'checked'; readonly report: string }
  | { readonly kind: 'final'; readonly state: EndState; readonly reason: string }
  | { readonly kind: 'error'; readonly code: AgentErrorCode; readonly message: string }
  /** inResults: among the warnings of the results, too. */
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly line: string;
      readonly inResults?: boolean;
    }
  | ({ readonly kind: 'linkReport' } & LinkReport)
  | {
      readonly kind: 'checkpoint';
      readonly payloads: readonly Uint8Array[];
      readonly last: boolean;
      readonly damaged: number;
    };

export type Message = ControllerMessage | AgentMessage;
export type MessageKind = Message['kind'];

export const protocolVersion = 1;

/** Lanes of the sender pump, most urgent first (2-protocol §2). */
export const lanes = ['critical', 'high', 'normal', 'live', 'background'] as const;
export type Lane = (typeof lanes)[number];

export interface Delivery {
  readonly lane: Lane;
  /** Kept until acked, replayed on resume, delivered exactly once. */
  readonly reliable: boolean;
}

/** How each kind travels; the record is closed, so a new kind cannot be forgotten. */
export const deliveryOf: { readonly [K in MessageKind]: Delivery } = {
  nak: { lane: 'critical', reliable: false },
  ping: { lane: 'critical', reliable: false },
  pong: { lane: 'critical', reliable: false },
  goodbye: { lane: 'background', reliable: false },
  open: { lane: 'critical', reliable: false },
  confirm: { lane: 'critical', reliable: false },
  lease: { lane: 'critical', reliable: false },
  probe: { lane: 'critical', reliable: false },
  prepare: { lane: 'normal', reliable: true },
  start: { lane: 'critical', reliable: true },
  go: { lane: 'critical', reliable: true },
  // In the lane of start, so that a stage begins with the share that was sent before.
  share: { lane: 'critical', reliable: true },
  abort: { lane: 'critical', reliable: true },
  cleanup: { lane: 'normal', reliable: true },
  fetch: { lane: 'normal', reliable: true },
  fetched: { lane: 'normal', reliable: true },
  welcome: { lane: 'critical', reliable: false },
  refused: { lane: 'critical', reliable: false },
  heartbeat: { lane: 'critical', reliable: false },
  probeReply: { lane: 'critical', reliable: false },
  state: { lane: 'normal', reliable: true },
  progress: { lane: 'normal', reliable: false },
  target: { lane: 'normal', reliable: true },
  marked: { lane: 'normal', reliable: true },
  ready: { lane: 'normal', reliable: true },
  armed: { lane: 'critical', reliable: true },
  missed: { lane: 'critical', reliable: true },
  started: { lane: 'normal', reliable: true },
  interval: { lane: 'live', reliable: false },
  stageResult: { lane: 'high', reliable: true },
  cleaned: { lane: 'normal', reliable: true },
  checked: { lane: 'high', reliable: true },
  final: { lane: 'high', reliable: true },
  error: { lane: 'critical', reliable: true },
  log: { lane: 'background', reliable: false },
  // In the lane of final, so that the last one comes before it.
  linkReport: { lane: 'high', reliable: false },
  checkpoint: { lane: 'high', reliable: true },
};
