import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Summary } from '../../src/controller/core/summary.js';
import { mountSmallDisk } from '../../src/controller/shell/rehearsal/small-disk.js';
import type { SmallDisk } from '../../src/controller/shell/rehearsal/small-disk.js';
import { Program } from './program.js';
import { temporaryFolder } from './temporary-folder.js';

export interface Printed {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** bench-controller as a process of its own, until it has ended. */
export async function controller(...argv: string[]): Promise<Printed> {
  return printed(new Program('bench-controller', argv));
}

export async function printed(program: Program): Promise<Printed> {
  const { code } = await program.ended;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

/** A folder with a target, a place for results and a config, gone after the test. */
export class Desk {
  readonly path: string;
  readonly target: string;
  readonly results: string;

  readonly #t: TestContext;
  readonly #disks: SmallDisk[] = [];

  constructor(t: TestContext) {
    this.#t = t;
    const folder = temporaryFolder();
    t.after(async () => {
      for (const disk of this.#disks) await disk.unmount();
      folder.remove();
    });
    this.path = folder.path;
    this.target = this.folder('target');
    this.results = join(this.path, 'results');
  }

  folder(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  file(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }

  /** A small file system of its own, or undefined (and the test says so) where this process may not mount one. */
  async disk(name: string, options: string): Promise<string | undefined> {
    const disk = await mountSmallDisk(this.folder(name), options);
    if ('why' in disk) {
      this.#t.skip(disk.why);
      return undefined;
    }
    this.#disks.push(disk);
    return disk.path;
  }

  /** A config with this desk's target and a small dataset; `more` may override every key but the target. */
  config(more: object, name = 'bench.json'): string {
    const plan = { name: 'desk', target: this.target, dataset: smallDataset, ...more };
    return this.file(name, JSON.stringify(plan, null, 2));
  }

  /** `run config --results … --progress none …`, or another command that makes results. */
  run(config: string, ...argv: string[]): Promise<Printed> {
    return this.command('run', config, ...argv);
  }

  command(
    name: 'run' | 'prepare' | 'cleanup',
    config: string,
    ...argv: string[]
  ): Promise<Printed> {
    return controller(name, config, '--results', this.results, '--progress', 'none', ...argv);
  }

  /** What the newest results folder holds; there must be exactly `runs` of them. */
  newest(runs = 1): ResultsFolder {
    const folders = this.resultFolders();
    assert.equal(folders.length, runs, folders.join(' '));
    const last = folders.at(-1);
    assert.ok(last);
    return new ResultsFolder(join(this.results, last));
  }

  /** In the order of their making, as the names tell it to the second; none when there is no such folder. */
  resultFolders(): readonly string[] {
    try {
      return readdirSync(this.results).sort();
    } catch {
      return [];
    }
  }
}

export const smallDataset = { name: 'ds', files: 4, file_size: '256KiB' };

export class ResultsFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  text(name: string): string {
    return readFileSync(join(this.path, name), 'utf8');
  }

  get summary(): Summary {
    return JSON.parse(this.text('summary.json')) as Summary;
  }

  get manifest(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.text('run.json')) as Record<string, unknown>;
  }

  /** Rows of intervals.csv by column name. */
  get intervals(): readonly Readonly<Record<string, string>>[] {
    const [head = '', ...rows] = this.text('intervals.csv').trimEnd().split('\n');
    const names = head.split(',');
    return rows.map((row) => {
      const cells = row.split(',');
      return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']));
    });
  }
}

/** One line on stderr per problem: what must be there, and that nothing else is, such as a stack. */
export function assertOneSentence(shown: Printed, code: number, sentence: RegExp): void {
  assert.equal(shown.code, code, shown.stdout + shown.stderr);
  assert.match(shown.stderr, sentence);
  assert.doesNotMatch(shown.stderr, /^\s+at /m, 'no stack');
}
