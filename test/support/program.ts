import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { watchingTurns } from './turns.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** How long a test waits for words or an end before it says what was there instead; generous, machines are slow. */
const patienceMs = 120_000;

/** Environment in which the program takes its outputs for a terminal that shows colours. */
export const onTerminal: NodeJS.ProcessEnv = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
    'process.stdout.isTTY = process.stderr.isTTY = true;',
  )}`,
  NO_COLOR: '',
  TERM: 'xterm',
};

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One of the two programs (or another, by its path) as a real process: what it printed, and when it ended. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  #changed: (() => void)[] = [];

  constructor(
    script: 'bench-agent' | 'bench-controller' | URL,
    argv: string[],
    env: NodeJS.ProcessEnv = {},
    stdout: number | 'pipe' = 'pipe',
  ) {
    const file = script instanceof URL ? fileURLToPath(script) : `${root}bin/${script}.js`;
    this.child = spawn(process.execPath, [file, ...argv], {
      stdio: ['ignore', stdout, 'pipe'],
      env: watchingTurns({ ...process.env, NO_COLOR: '1', ...env }),
    });
    this.child.stdout?.on('data', (data: Buffer) => {
      this.stdout += data.toString();
      this.#notify();
    });
    this.child.stderr?.on('data', (data: Buffer) => {
      this.stderr += data.toString();
      this.#notify();
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        resolve({ code, signal });
        this.#notify();
      });
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the program did not start');
    return this.child.pid;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Everything printed so far. */
  get output(): string {
    return `${this.stdout}\n${this.stderr}`;
  }

  /** Resolves with the match once `pattern` is in what was printed; fails when the program ends or time is up first. */
  async waitFor(pattern: RegExp, withinMs = patienceMs): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(withinMs);
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      if (!this.running) throw new Error(`ended without ${pattern}: ${this.output}`);
      if (deadline.aborted) throw new Error(`no ${pattern} within ${withinMs} ms: ${this.output}`);
      await this.#next(deadline);
    }
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Ends the program whatever its state; for the end of a test. */
  async stop(): Promise<void> {
    if (this.running) {
      // a stopped process must go on before it can be seen to end
      this.child.kill('SIGKILL');
    }
    await this.ended;
  }

  #next(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        deadline.removeEventListener('abort', done);
        resolve();
      };
      deadline.addEventListener('abort', done);
      this.#changed.push(done);
    });
  }

  #notify(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const wake of waiting) wake();
  }
}
