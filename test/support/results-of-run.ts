import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { decodeRecord } from '../../src/controller/shell/journal-codec.js';
import type { JournalRecord } from '../../src/controller/core/records.js';
import type { AgentStageSummary, Summary } from '../../src/controller/core/summary.js';

type Traffic = Readonly<Record<string, { readonly messages: number; readonly bytes: number }>>;

interface LinkSide {
  readonly sent: Traffic;
  readonly received: Traffic;
}

interface AgentLinkSide extends LinkSide {
  readonly checkpoints: number;
  readonly checkpoint_bytes: number;
}

/** What tests look at in run.json. */
interface RunJson {
  readonly outcome: string;
  readonly exit_code: number | null;
  readonly run_id: string;
  readonly agents: readonly {
    readonly id: string;
    readonly state: string;
    readonly reconnects: number;
    readonly link_metrics:
      | (LinkSide & { readonly agent: AgentLinkSide | null; readonly hangs_ms: readonly number[] })
      | null;
    readonly states: readonly { readonly state: string; readonly reason: string }[];
    readonly links: readonly { readonly link: string; readonly generation: number }[];
    readonly clock: readonly { readonly offset_ns: string; readonly bound_ns: number }[];
  }[];
}

type Row = Readonly<Record<string, string>>;

/** The results folder of the only run below `parent`. */
export class ResultsOfRun {
  readonly #parent: string;

  constructor(parent: string) {
    this.#parent = parent;
  }

  get folder(): string {
    const [name] = fs.existsSync(this.#parent) ? fs.readdirSync(this.#parent) : [];
    assert.ok(name, 'no results folder');
    return path.join(this.#parent, name);
  }

  read(file: string): string {
    return fs.readFileSync(path.join(this.folder, file), 'utf8');
  }

  summary(): Summary {
    return JSON.parse(this.read('summary.json')) as Summary;
  }

  manifest(): RunJson {
    return JSON.parse(this.read('run.json')) as RunJson;
  }

  /** Records of a type in the journal. */
  records<K extends JournalRecord['type']>(type: K): Extract<JournalRecord, { type: K }>[] {
    // What follows the last line break may be half of a record.
    return this.read('journal.ndjson')
      .split('\n')
      .slice(0, -1)
      .map((line) => decodeRecord(line))
      .filter((record): record is Extract<JournalRecord, { type: K }> => record.type === type);
  }

  /** Rows of intervals.csv by the names of their columns. */
  intervals(): Row[] {
    const [header = '', ...rows] = this.read('intervals.csv').trimEnd().split('\n');
    const names = header.split(',');
    return rows.map((row) =>
      Object.fromEntries(row.split(',').map((cell, index) => [names[index] ?? '', cell])),
    );
  }

  agent(id: string, stage = 0): AgentStageSummary {
    const found = this.summary().stages[stage]?.agents[id];
    assert.ok(found, `no ${id} in stage ${stage}`);
    return found;
  }

  /** Operations of one agent in a stage, over all kinds. */
  operationsOf(id: string, stage = 0): number {
    return sum(Object.values(this.agent(id, stage).operations).map(({ count }) => count));
  }

  /** Counts and bytes of the summary are those of its agents, of their seconds, and of the whole time line. */
  checkSums(): void {
    const rows = this.intervals();
    for (const stage of this.summary().stages) {
      for (const [operation, totals] of Object.entries(stage.operations)) {
        const own = rows.filter((row) => row['stage'] === stage.name);
        const seconds = own.filter((row) => row['operation'] === operation);
        const parts = Object.values(stage.agents).flatMap(({ operations }) =>
          operations[operation] ? [operations[operation]] : [],
        );
        for (const [field, column] of [
          ['count', 'ops'],
          ['bytes', 'bytes'],
        ] as const) {
          const sums = {
            summary: totals[field],
            agents: sum(parts.map((part) => part[field])),
            agentSeconds: sumOf(seconds, column, (agent) => agent !== '*'),
            seconds: sumOf(seconds, column, (agent) => agent === '*'),
          };
          assert.deepEqual(
            new Set(Object.values(sums)).size,
            1,
            `${stage.name} ${operation} ${field}: ${JSON.stringify(sums)}`,
          );
        }
      }
    }
  }

  /** Second by second: no agent that completed the stage has a hole in its time line, and none is doubled. */
  checkTimeLine(id: string, stage = 0): void {
    const { name } = this.summary().stages[stage] ?? {};
    const seconds = this.intervals()
      .filter((row) => row['stage'] === name && row['agent'] === id && row['operation'] === 'read')
      .flatMap((row) =>
        Array.from({ length: Number(row['seconds']) }, (_, k) => Number(row['second']) + k),
      );
    assert.deepEqual(seconds, [...seconds.keys()], `seconds of ${id}`);
    assert.equal(this.agent(id, stage).missing_seconds, 0);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function sumOf(rows: readonly Row[], column: string, of: (agent: string) => boolean): number {
  return sum(rows.filter((row) => of(row['agent'] ?? '')).map((row) => Number(row[column])));
}
