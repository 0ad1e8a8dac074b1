import assert from 'node:assert/strict';
import { eventually } from './eventually.js';
import type { Program } from './program.js';
import { ResultsOfRun } from './results-of-run.js';

/** Generous: what a test waits for comes within seconds on an idle machine. */
const patienceMs = 90_000;

interface AgentProgress {
  readonly id: string;
  readonly state: string;
  readonly link: string;
  readonly silent_ms: number;
  readonly runner_silent_ms: number | null;
  readonly operations: number;
  readonly note: string | null;
}

/** A `progress` object of the NDJSON view. */
export interface Progress {
  readonly run_id: string;
  readonly phase: string;
  readonly stage: string | null;
  readonly stage_elapsed_ms: number | null;
  readonly agents: readonly AgentProgress[];
}

/** A controller's run as seen from outside: its words, its progress, what it leaves behind. */
export class FleetRun extends ResultsOfRun {
  readonly program: Program;
  /** The config file. */
  readonly config: string;

  constructor(program: Program, config: string, results: string) {
    super(results);
    this.program = program;
    this.config = config;
  }

  /** Until a progress object is as wanted. */
  async until(
    what: string,
    wanted: (progress: Progress) => boolean,
    withinMs = patienceMs,
  ): Promise<Progress> {
    let seen = 0;
    let last = '';
    return eventually(what, withinMs, () => {
      const lines = this.program.stdout.split('\n');
      for (; seen < lines.length - 1; seen++) {
        last = lines[seen] ?? '';
        const object = JSON.parse(last) as Progress & { readonly type: string };
        if (object.type === 'progress' && wanted(object)) return object;
      }
      if (!this.program.running) {
        throw new Error(`ended before ${what}: ${last}\n${this.program.stderr}`);
      }
      return undefined;
    });
  }

  phase(phase: string, stage?: string): Promise<Progress> {
    return this.until(
      `phase ${phase}`,
      (progress) => progress.phase === phase && (stage === undefined || progress.stage === stage),
    );
  }

  /** Every agent is in this state, as the controller sees it. */
  all(state: string): Promise<Progress> {
    return this.until(`all ${state}`, ({ agents }) => agents.every((one) => one.state === state));
  }

  /** Every agent has reported operations of the stage. */
  loaded(stage?: string): Promise<Progress> {
    return this.until(
      'load on every agent',
      (progress) =>
        progress.phase === 'running' &&
        (stage === undefined || progress.stage === stage) &&
        progress.agents.every(({ operations }) => operations > 0),
    );
  }

  waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    return this.program.waitFor(pattern);
  }

  /** Waits for the end and insists on the exit code. */
  async exits(code: number): Promise<void> {
    const ended = await this.program.ended;
    assert.deepEqual(ended, { code, signal: null }, this.said);
  }

  /** Lines for people. */
  get said(): string {
    return this.program.stderr;
  }
}
