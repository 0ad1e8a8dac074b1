/**
 * What goes into and comes out of the agent's session machine. The shell (or the simulator) turns the world into
 * inputs and carries the effects out in the order given.
 *
 * `stream` is a number the shell gives each accepted call, never used twice in a process: generations start again
 * with every run, so they cannot tell an old run's late close from a new run's stream.
 * `runner` likewise numbers the workload processes, from 1; the machine gives those numbers out.
 */
import type { Assignment } from '../../shared/model/assignment.js';
import type {
  AgentMessage,
  ControllerMessage,
  Owner,
  RefusalCode,
} from '../../shared/model/messages.js';
import type { LogLevel } from '../../shared/kernel/log.js';
import type { RunnerCommand, RunnerEvent } from '../runner/protocol.js';
import type { Consent } from './given-guard.js';

export type Open = Extract<ControllerMessage, { kind: 'open' }>;

/** How a workload process ended. `failure`: it could not even be started, and why. */
export interface RunnerExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly failure?: string;
}

export type SessionInput =
  /** A stream whose handshake is complete. Ask `verdict(open)` before writing Welcome; this input decides. */
  | { readonly kind: 'opened'; readonly stream: number; readonly open: Open }
  | {
      readonly kind: 'message';
      readonly stream: number;
      readonly message: ControllerMessage;
      /** When it was read from the link, monotonic: t2 of a probe. */
      readonly receivedNs: bigint;
    }
  /** The stream is gone. Never graceful: the graceful end is the goodbye message. */
  | { readonly kind: 'detached'; readonly stream: number; readonly reason: string }
  /** The peer has acknowledged every reliable message sent so far. */
  | { readonly kind: 'flushed' }
  | { readonly kind: 'runner'; readonly runner: number; readonly event: RunnerEvent }
  /** After the last `runner` input of that process. */
  | { readonly kind: 'runnerExited'; readonly runner: number; readonly exit: RunnerExit }
  /** A parameter of the run's link follows what was measured; one clause. */
  | { readonly kind: 'linkAdapted'; readonly line: string }
  | { readonly kind: 'operatorStop'; readonly signal: string }
  /** Somebody who knows the run's secret says that its controller will not come back. */
  | { readonly kind: 'recovered'; readonly runId: string; readonly reason: string }
  /** What the present run reports is not kept on this host; one sentence. */
  | { readonly kind: 'unspooled'; readonly line: string }
  /** `wakeAt()` has come (or not: a tick at any time is harmless). */
  | { readonly kind: 'tick'; readonly health: ControlHealth };

/** The control process's own condition since the last tick. */
export interface ControlHealth {
  readonly loopDelayNs: number;
  readonly rssBytes: number;
}

export type SessionEffect =
  /** Make a link for the run (resumed: keep the one there is and attach it) and bind the stream to it. */
  | { readonly kind: 'accept'; readonly stream: number; readonly resumed: boolean }
  | {
      readonly kind: 'refuse';
      readonly stream: number;
      readonly code: RefusalCode;
      readonly message: string;
      readonly owner: Owner | undefined;
    }
  /** Give the message to the run's link, which keeps reliable ones while no stream is bound. */
  | { readonly kind: 'send'; readonly message: AgentMessage }
  /** Send what the link has counted so far: a linkReport. */
  | { readonly kind: 'reportLink' }
  /** End the stream after what was sent before; `goodbye`: with a Goodbye of that reason as the last frame. */
  | {
      readonly kind: 'closeStream';
      readonly stream: number;
      readonly goodbye: boolean;
      readonly reason: string;
    }
  /** asynchronous: operations that its stages have in flight at once at most, besides blocking ones. */
  | { readonly kind: 'forkRunner'; readonly runner: number; readonly asynchronous: number }
  /** The run has left the agent: forget its link. `delivered`: its controller said goodbye and has everything. */
  | { readonly kind: 'released'; readonly runId: string; readonly delivered: boolean }
  | { readonly kind: 'runner'; readonly runner: number; readonly command: RunnerCommand }
  | { readonly kind: 'killRunner'; readonly runner: number }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly line: string }
  | { readonly kind: 'exit'; readonly code: number };

/** A sum of sparse encoded histograms; `Histogram` of shared/metrics is one. */
export interface HistogramSum {
  add(encoded: Uint8Array): void;
  encode(): Uint8Array;
}

export interface SessionOptions {
  /** Leave after one run. */
  readonly once: boolean;
  /** What runs report is kept on this host (until `unspooled`); left out: it is not. */
  readonly keeps?: boolean;
  /** Where targets may lie; empty: anywhere that is not forbidden. */
  readonly roots: readonly string[];
  /** To the use of what is there already; left out: none. */
  readonly consent?: Consent;
  /** Checks Prepare's JSON. Throws an error whose message is one sentence naming the field. */
  readonly parseAssignment: (json: string) => Assignment;
  readonly createHistogram: () => HistogramSum;
}
