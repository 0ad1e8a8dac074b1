/** A controller as a real process, and what it leaves behind. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../shared/kernel/clock.js';
import type { AgentRecord, Evidence, Row } from '../../core/rehearsal/evidence.js';
import type { Summary } from '../../core/summary.js';
import { controllerProgram } from '../programs.js';
import { WatchedProcess } from './watched-process.js';

/** What is used of a `progress` object of the NDJSON view. */
export interface Progress {
  readonly type: string;
  readonly phase: string;
  readonly stage: string | null;
  readonly stage_elapsed_ms: number | null;
  readonly agents: readonly {
    readonly id: string;
    readonly state: string;
    readonly link: string;
    readonly silent_ms: number;
    readonly operations: number;
  }[];
}

export interface RunRequest {
  /** For the config and, below it, the results. */
  readonly folder: string;
  readonly config: object;
  readonly resultsParent?: string | undefined;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
}

export class RehearsedRun {
  readonly process: WatchedProcess;
  readonly #resultsParent: string;
  readonly #request: RunRequest;
  readonly #beganMs: number;
  #report: WatchedProcess | undefined;
  #seen = 0;
  #latest: Progress | undefined;

  private constructor(request: RunRequest, process: WatchedProcess, resultsParent: string) {
    this.#request = request;
    this.process = process;
    this.#resultsParent = resultsParent;
    this.#beganMs = request.clock.nowMs();
  }

  static async start(request: RunRequest): Promise<RehearsedRun> {
    const { folder, config, clock, env } = request;
    const resultsParent = request.resultsParent ?? join(folder, 'results');
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'config.json');
    await writeFile(file, JSON.stringify(config, undefined, 2));
    const argv = ['run', file, '--results', resultsParent, '--progress', 'json'];
    const child = startController(argv, env);
    return new RehearsedRun(request, new WatchedProcess(child, clock), resultsParent);
  }

  get elapsedMs(): number {
    return this.#request.clock.nowMs() - this.#beganMs;
  }

  /** Until a progress object is as wanted. @throws Error when the run ends before, or after two minutes */
  async until(what: string, wanted: (progress: Progress) => boolean): Promise<Progress> {
    return this.process.until(what, patienceMs, () => {
      const lines = this.process.stdout.split('\n');
      for (; this.#seen < lines.length - 1; this.#seen++) {
        const object = JSON.parse(lines[this.#seen] ?? '') as Progress;
        if (object.type === 'progress') this.#latest = object;
      }
      const latest = this.#latest;
      return latest && wanted(latest) ? latest : undefined;
    });
  }

  /** Every agent has reported operations of the present stage. */
  loaded(): Promise<Progress> {
    return this.until(
      'load on every agent',
      ({ phase, agents }) =>
        phase === 'running' && agents.every(({ operations }) => operations > 0),
    );
  }

  /** The stage has gone on for so long. */
  elapsed(ms: number): Promise<Progress> {
    return this.until(
      `${ms / 1000} s of load`,
      ({ phase, stage_elapsed_ms }) => phase === 'running' && (stage_elapsed_ms ?? 0) >= ms,
    );
  }

  says(words: RegExp): Promise<true> {
    const found = (): true | undefined => (words.test(this.process.stderr) ? true : undefined);
    return this.process.until(String(words), patienceMs, found);
  }

  /** How the run ended; it is killed when that takes longer than `deadlineMs` from its start. */
  async end(deadlineMs: number): Promise<Pick<Evidence, 'exitCode' | 'overdueMs' | 'tookMs'>> {
    let overdueMs: number | undefined;
    const cancel = this.#request.clock.after(deadlineMs - this.elapsedMs, () => {
      overdueMs = deadlineMs;
      this.process.kill('SIGKILL');
    });
    const { code } = await this.process.ended;
    cancel();
    return { exitCode: code, overdueMs, tookMs: this.elapsedMs };
  }

  /** Makes the results again from the journal, as a user would after a crash. */
  async report(): Promise<void> {
    const child = startController(['report', await this.folder()], this.#request.env);
    this.#report = new WatchedProcess(child, this.#request.clock);
    await this.#report.ended;
  }

  /** Ends what is left of it. */
  async stop(): Promise<void> {
    await Promise.all([this.process.stop(), this.#report?.stop()]);
  }

  async folder(): Promise<string> {
    const [name] = await readdir(this.#resultsParent);
    if (name === undefined) throw new Error('there is no results folder');
    return join(this.#resultsParent, name);
  }

  async results(): Promise<Pick<Evidence, 'summary' | 'agents' | 'rows'>> {
    const manifest = await this.#json<{ agents: readonly AgentRecord[] }>('run.json');
    return {
      summary: await this.#json<Summary>('summary.json'),
      agents: manifest?.agents ?? [],
      rows: rowsOf((await this.#text('intervals.csv')) ?? ''),
    };
  }

  async #json<T>(file: string): Promise<T | undefined> {
    const text = await this.#text(file);
    try {
      return text === undefined ? undefined : (JSON.parse(text) as T);
    } catch {
      // Half a file is no evidence: the verdict says that it is missing.
      return undefined;
    }
  }

  async #text(file: string): Promise<string | undefined> {
    try {
      return await readFile(join(await this.folder(), file), 'utf8');
    } catch {
      // What could not be written is missing, and the verdict says so.
      return undefined;
    }
  }
}

const patienceMs = 120_000;

function startController(argv: string[], env: NodeJS.ProcessEnv) {
  return spawn(process.execPath, [controllerProgram, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...env, NO_COLOR: '1' },
  });
}

function rowsOf(csv: string): readonly Row[] {
  const [header = '', ...rows] = csv.trimEnd().split('\n');
  const names = header.split(',');
  return rows.map((row) =>
    Object.fromEntries(row.split(',').map((cell, index) => [names[index] ?? '', cell])),
  );
}
