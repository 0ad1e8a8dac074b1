/**
 * What goes into the run machine and what comes out of it. The driver (controller/shell/run-driver) turns sockets,
 * signals and timers into inputs and carries out the effects in their order; the simulator does the same without
 * sockets. Agents are named by their index in the plan.
 */
import type { Assignment } from '../../shared/model/assignment.js';
import type {
  AgentMessage,
  ControllerMessage,
  HeldRange,
  HelloReply,
} from '../../shared/model/messages.js';
import type { ExitCode, Outcome } from '../../shared/model/outcome.js';
import type { Plan } from '../../shared/model/plan.js';
import type { LogLevel } from '../../shared/kernel/log.js';
import type { RunRecord } from './records.js';

/** check: connect, synchronise clocks, look at the target; nothing is left behind. */
export type RunMode = 'run' | 'prepare' | 'cleanup' | 'check';

export interface RunOptions {
  readonly runId: string;
  readonly plan: Plan;
  readonly mode: RunMode;
  /** One per agent, by index (split-plan). */
  readonly assignments: readonly Assignment[];
  /** Mode run: remove the dataset after the last stage. */
  readonly cleanup: boolean;
  /** Uniform in [0, 1): jitter of the re-dial delays. */
  readonly random: () => number;
}

export type WelcomeMessage = Extract<AgentMessage, { kind: 'welcome' }>;

/**
 * Why a dial failed. The first group: nothing that speaks answered ("unreachable"). The second: an answer that says no.
 */
export type DialFailure =
  | 'dns'
  | 'refused'
  | 'timeout'
  | 'tls'
  | 'network'
  | 'notMuster'
  | 'protocol'
  | 'busy'
  | 'secret'
  | 'token'
  | 'stopping';

export type RunInput =
  | { readonly kind: 'start' }
  /** Hello, Session, Open, Welcome and Confirm are done; frames of this generation follow. */
  | {
      readonly kind: 'dialed';
      readonly agent: number;
      readonly generation: number;
      readonly hello: HelloReply;
      readonly welcome: WelcomeMessage;
    }
  /** `message`: one clause naming the real cause. `connected`: the connection was made, what came after it failed. `instanceId`: of the Hello answer, when there was one. */
  | {
      readonly kind: 'dialFailed';
      readonly agent: number;
      readonly generation: number;
      readonly code: DialFailure;
      readonly message: string;
      readonly connected?: boolean;
      readonly instanceId?: string;
    }
  | {
      readonly kind: 'linkLost';
      readonly agent: number;
      readonly generation: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'message';
      readonly agent: number;
      readonly generation: number;
      readonly message: AgentMessage;
      /** Controller's monotonic clock when the frame was read. */
      readonly receivedNs: bigint;
    }
  /** A frame that could not be used. */
  | {
      readonly kind: 'invalid';
      readonly agent: number;
      readonly generation: number;
      readonly sequence: bigint;
      readonly reason: string;
    }
  /** Answer to the effect helloProbe; `hello` undefined when nobody answered. */
  | {
      readonly kind: 'helloResult';
      readonly agent: number;
      readonly hello: HelloReply | undefined;
    }
  | { readonly kind: 'interrupt'; readonly signal: 'SIGINT' | 'SIGTERM' }
  /** wakeAt() has come. A tick that is early or late does no harm. */
  | { readonly kind: 'tick' };

export type RunEffect =
  /**
   * Connect, Hello, Session, Open … Confirm; answered by one `dialed` or `dialFailed`. The driver applies the connect
   * and Hello deadlines; those of one batch start together. `held`: for Open on a resume (generation > 1).
   */
  | {
      readonly kind: 'dial';
      readonly agent: number;
      readonly generation: number;
      readonly held: readonly HeldRange[];
    }
  /** Hello on a fresh connection: is the process alive although its stream is silent? Answered by `helloResult`. */
  | { readonly kind: 'helloProbe'; readonly agent: number }
  | { readonly kind: 'send'; readonly agent: number; readonly message: ControllerMessage }
  /**
   * Ends the link of that generation, also one that is still being dialled. What was sent before (acks and a goodbye
   * among it) is flushed first, within a second at most. No further input of that generation is needed.
   */
  | {
      readonly kind: 'hangUp';
      readonly agent: number;
      readonly generation: number;
      readonly reason: string;
    }
  /** A line for the user; the driver also journals it. */
  | { readonly kind: 'notice'; readonly level: LogLevel; readonly line: string }
  /** For the journal and the aggregate. The records `run`, `notice` and `end` are the driver's. */
  | { readonly kind: 'record'; readonly record: RunRecord }
  /** The agent was restarted and may have kept what its former process (`instanceId`) reported: fetch and record that. */
  | { readonly kind: 'fetch'; readonly agent: number; readonly instanceId: string }
  /** Mode check: what the agent found, JSON (docs/results.md "check"). */
  | { readonly kind: 'checked'; readonly agent: number; readonly report: string }
  /**
   * Exactly once, last. `exitCode` is the run's own part: thresholds, --allow-partial and unwritable results are the
   * driver's. Links that are still open may be closed by the driver at once.
   */
  | ({ readonly kind: 'finished' } & RunEnd);

export interface RunEnd {
  readonly outcome: Outcome;
  readonly exitCode: ExitCode;
  /** One sentence when not completed. */
  readonly reason: string | undefined;
  /** The majority was lost: the numbers are no result of the planned run. */
  readonly notRepresentative: boolean;
}
