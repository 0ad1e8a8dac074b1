import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { reasonOf } from '../../../shared/kernel/errors.js';
import { RunnerFailure } from '../failure.js';
import { gateFd, readyFd } from './job-file.js';
import { FioOutput } from './status.js';
import type { FioStatus } from './status.js';

export interface FioEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface FioProcessParts {
  readonly jobFile: string;
  readonly threads: number;
  /** Where the files and fio's own leavings are. */
  readonly folder: string;
  readonly onStatus: (status: FioStatus) => void;
  /** What fio tells people. */
  readonly onLine: (line: string) => void;
}

/** What a stage has to do with its fio. */
export type FioRun = Pick<FioProcess, 'ended' | 'ready' | 'letGo' | 'askStatus' | 'stop' | 'kill'>;

/**
 * One fio: started with all its threads held at a gate, let go together, asked for its counters by SIGUSR1. The kernel
 * ends it when this process ends (setpriv --pdeathsig): no load without a living owner.
 */
export class FioProcess {
  /** Once, when it has ended and all its output was read. */
  readonly ended: Promise<FioEnd>;
  readonly #child: ChildProcess;
  readonly #ready: Promise<undefined>;
  #isLetGo = false;

  constructor(parts: FioProcessParts) {
    const argv = ['--pdeathsig', 'KILL', '--', 'fio', '--output-format=json+', '--eta=never', '-'];
    this.#child = spawn('setpriv', argv, {
      cwd: parts.folder,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    const output = new FioOutput(parts.onStatus, parts.onLine);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output.feed(text);
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) if (line !== '') parts.onLine(line);
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', (error) => {
        reject(new RunnerFailure('target', `cannot start fio: ${reasonOf(error)}`));
      });
      this.#child.once('close', (code, signal) => {
        resolve({ code, signal });
      });
    });
    // Whoever waits for the end hears of it; during set-up `ready` does.
    this.ended.catch(() => undefined);
    this.#ready = this.#allReady(parts.threads);
    // It may end before it has read all: its end says why.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdin?.end(parts.jobFile);
  }

  /** Until every thread has opened its files and waits at the gate. @returns how fio ended, when it did before */
  ready(): Promise<FioEnd | undefined> {
    return Promise.race([this.#ready, this.ended]);
  }

  letGo(): void {
    this.#isLetGo = true;
    this.#pipe(gateFd).end();
  }

  askStatus(): void {
    this.#child.kill('SIGUSR1');
  }

  /** Ends the load; one that had been let go still writes what it has counted. */
  stop(): void {
    if (this.#isLetGo) this.#child.kill('SIGINT');
    else this.kill();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
    // The shells at the gate outlive fio, and would hold its output open.
    this.#pipe(gateFd).destroy();
  }

  #allReady(threads: number): Promise<undefined> {
    let lines = 0;
    return new Promise((resolve) => {
      this.#pipe(readyFd).on('data', (data: Buffer) => {
        lines += data.toString().split('\n').length - 1;
        if (lines >= threads) resolve(undefined);
      });
    });
  }

  #pipe(fd: number): Duplex {
    return this.#child.stdio[fd] as Duplex;
  }
}
