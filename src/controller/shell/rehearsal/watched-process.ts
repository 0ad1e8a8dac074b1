import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../../../shared/kernel/clock.js';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process: what it printed, when it ended, and a way to wait for either. */
export class WatchedProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #end: Ended | undefined;

  constructor(child: ChildProcess, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
    this.pid = child.pid ?? 0;
    child.stdout?.on('data', (data: Buffer) => {
      this.stdout += data.toString();
      this.#notify();
    });
    child.stderr?.on('data', (data: Buffer) => {
      this.stderr += data.toString();
      this.#notify();
    });
    this.ended = new Promise((resolve) => {
      const ended = (end: Ended): void => {
        this.#end ??= end;
        resolve(this.#end);
        this.#notify();
      };
      child.once('error', (error) => {
        this.stderr += `${error.message}\n`;
        ended({ code: null, signal: null });
      });
      child.once('close', (code, signal) => {
        ended({ code, signal });
      });
    });
  }

  get running(): boolean {
    return this.#end === undefined;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it whatever its state, also when it is stopped. */
  async stop(): Promise<void> {
    if (this.running) this.kill('SIGKILL');
    await this.ended;
  }

  /**
   * Resolves with what `look` finds, which is called whenever something was printed.
   * @throws Error when the process ends or `withinMs` is over before
   */
  until<T>(what: string, withinMs: number, look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look();
        if (found !== undefined) settle(() => resolve(found));
        else if (!this.running) settle(() => reject(new Error(`it ended before: ${what}`)));
      };
      const cancel = this.#clock.after(withinMs, () => {
        settle(() => reject(new Error(`not within ${withinMs / 1000} s: ${what}`)));
      });
      const settle = (act: () => void): void => {
        cancel();
        this.#waiting.delete(check);
        act();
      };
      this.#waiting.add(check);
      check();
    });
  }

  #notify(): void {
    for (const check of [...this.#waiting]) check();
  }
}
