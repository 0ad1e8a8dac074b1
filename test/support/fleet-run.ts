import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from './eventually.js';
import type { Program } from './program.js';

/** Generous: what a test waits for comes within seconds on an idle machine. */
const patienceMs = 90_000;

interface AgentProgress {
  readonly id: string;
  readonly state: string;
  readonly link: string;
  readonly operations: number;
  readonly note: string | null;
}

/** A `progress` object of the NDJSON view. */
export interface Progress {
  readonly phase: string;
  readonly stage: string | null;
  readonly stage_elapsed_ms: number | null;
  readonly agents: readonly AgentProgress[];
}

/** A controller's run as seen from outside: its words, its progress, what it leaves behind. */
export class FleetRun {
  readonly program: Program;
  readonly #results: string;

  constructor(program: Program, results: string) {
    this.program = program;
    this.#results = results;
  }

  /** Until a progress object is as wanted. */
  async until(what: string, wanted: (progress: Progress) => boolean): Promise<Progress> {
    let seen = 0;
    let last = '';
    return eventually(what, patienceMs, () => {
      const lines = this.program.stdout.split('\n');
      for (; seen < lines.length - 1; seen++) {
        last = lines[seen]!;
        const object = JSON.parse(last);
        if (object.type === 'progress' && wanted(object)) return object as Progress;
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

  get folder(): string {
    const [name] = fs.readdirSync(this.#results);
    assert.ok(name, 'no results folder');
    return path.join(this.#results, name);
  }

  /** Lines for people. */
  get said(): string {
    return this.program.stderr;
  }

  read(file: string): string {
    return fs.readFileSync(path.join(this.folder, file), 'utf8');
  }

  summary(): any {
    return JSON.parse(this.read('summary.json'));
  }

  manifest(): any {
    return JSON.parse(this.read('run.json'));
  }

  journal(): any[] {
    return this.read('journal.ndjson')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  intervals(): Record<string, string>[] {
    const [header, ...rows] = this.read('intervals.csv').trimEnd().split('\n');
    const names = header!.split(',');
    return rows.map((row) =>
      Object.fromEntries(row.split(',').map((cell, index) => [names[index]!, cell])),
    );
  }

  /** Counts and bytes of the summary are those of the agents, of the seconds, and of the whole time line. */
  checkSums(): void {
    const rows = this.intervals();
    for (const stage of this.summary().stages) {
      for (const [operation, totals] of Object.entries<any>(stage.operations)) {
        const parts = Object.values<any>(stage.agents).flatMap(({ operations }) =>
          operations[operation] ? [operations[operation]] : [],
        );
        const seconds = rows.filter(
          (row) => row['stage'] === stage.name && row['operation'] === operation,
        );
        for (const [field, column] of [
          ['count', 'ops'],
          ['bytes', 'bytes'],
        ] as const) {
          const what = `${stage.name} ${operation} ${field}`;
          const sum = (of: Record<string, string>[]): number =>
            of.reduce((total, row) => total + Number(row[column]), 0);
          assert.equal(
            parts.reduce((total, part) => total + part[field], 0),
            totals[field],
            `${what}: sum over agents`,
          );
          const perAgent = seconds.filter(({ agent }) => agent !== '*');
          assert.equal(sum(perAgent), totals[field], `${what}: sum over the agents' seconds`);
          const total = seconds.filter(({ agent }) => agent === '*');
          assert.equal(sum(total), totals[field], `${what}: sum over the seconds`);
        }
      }
    }
  }

  /** Operations of one agent in a stage, over all kinds. */
  operationsOf(agent: string, stage = 0): number {
    const { operations } = this.summary().stages[stage].agents[agent];
    return Object.values<any>(operations).reduce((total, { count }) => total + count, 0);
  }
}
