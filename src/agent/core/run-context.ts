import type { AgentState } from '../../shared/model/agent-state.js';
import type { Assignment } from '../../shared/model/assignment.js';
import type { AgentMessage, StageResult } from '../../shared/model/messages.js';
import type { LogLevel } from '../../shared/kernel/log.js';
import { stageName } from '../../shared/model/stage-name.js';
import type { RunnerCommand } from '../runner/protocol.js';
import type { Ending } from './ending.js';
import type { Reaper } from './reaper.js';
import type { RunnerWatch } from './runner-watch.js';
import type { SessionEffect, SessionOptions } from './session-io.js';
import type { StageTotals } from './stage-totals.js';
import { StartWait } from './start-wait.js';

/** What a run needs of the agent it runs on. */
export interface RunHost {
  readonly runId: string;
  readonly options: SessionOptions;
  readonly reaper: Reaper;
  readonly emit: (effect: SessionEffect) => void;
  readonly nextRunner: () => number;
}

/**
 * Transitions that have a message of their own: ready, armed, final. (Missed leads back to READY, cleaned back to
 * COMPLETED.) All others are announced with a state message.
 */
const announcedOtherwise: ReadonlySet<AgentState> = new Set([
  'READY',
  'ARMED',
  'COMPLETED',
  'FAILED',
  'ABORTED',
]);

/** The data of one run on this agent, and the few things every part of the run's machine does with it. */
export class RunContext {
  readonly host: RunHost;
  readonly wait = new StartWait();
  assignment: Assignment | undefined;
  runner: RunnerWatch | undefined;
  /** Of the stage that has begun and has no result yet. */
  totals: StageTotals | undefined;
  drainByMs: number | undefined;
  ending: Ending | undefined;
  finalSent = false;
  /** Of the last Share; 0 before the first. */
  shareEpoch = 0;
  /** Warnings that the results must carry: they go with the next stage result. */
  readonly notes: string[] = [];
  #state: AgentState = 'IDLE';

  constructor(host: RunHost) {
    this.host = host;
  }

  get state(): AgentState {
    return this.#state;
  }

  /** What people know a stage by. */
  stageName(stage: number): string {
    return stageName(this.assignment?.stages ?? [], stage);
  }

  get isOver(): boolean {
    return this.#state === 'COMPLETED' || this.#state === 'FAILED' || this.#state === 'ABORTED';
  }

  enter(state: AgentState): void {
    this.#state = state;
    if (!announcedOtherwise.has(state)) this.send({ kind: 'state', state, reason: '' });
  }

  sendResult(result: StageResult): void {
    const warnings = [...result.warnings, ...this.notes.splice(0)];
    this.send({ kind: 'stageResult', ...result, warnings });
  }

  send(message: AgentMessage): void {
    this.host.emit({ kind: 'send', message });
  }

  log(level: LogLevel, line: string): void {
    this.host.emit({ kind: 'log', level, line });
  }

  /** A line for the agent's own log and the controller's. */
  tell(level: LogLevel, line: string): void {
    this.log(level, line);
    this.send({ kind: 'log', level, line });
  }

  order(command: RunnerCommand): void {
    if (this.runner) this.host.emit({ kind: 'runner', runner: this.runner.id, command });
  }
}
