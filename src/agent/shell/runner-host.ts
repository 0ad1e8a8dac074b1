import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Log } from '../../shared/kernel/log.js';
import { reasonOf } from '../../shared/kernel/errors.js';
import { runnerArguments, runnerEnvironment } from './runner-environment.js';
import { RunnerScratch } from './runner-scratch.js';
import type { RunnerExit } from '../core/session-io.js';
import { removeAbandonedFolders } from '../runner/temporary-folders.js';
import type { RunnerCommand, RunnerEvent } from '../runner/protocol.js';

/** Above anything ordinary: when memory runs out, the kernel takes the load and leaves the agent alive to report it. */
const oomScoreAdjustment = '500';

export interface RunnerHostOptions {
  /** The runner's compiled entry, a path. */
  readonly entry: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly onEvent: (runner: number, event: RunnerEvent) => void;
  /** Once per runner, after its last event. */
  readonly onExit: (runner: number, exit: RunnerExit) => void;
}

/** The workload processes of this agent: forks them, talks to them, kills them, sees them end. */
export class RunnerHost {
  readonly #options: RunnerHostOptions;
  readonly #runners = new Map<
    number,
    { readonly child: ChildProcess; readonly scratch: RunnerScratch }
  >();
  readonly #removals = new Set<Promise<void>>();

  constructor(options: RunnerHostOptions) {
    this.#options = options;
  }

  /**
   * The child gets a session of its own, so that a Ctrl-C in the agent's terminal reaches it only as the agent's abort;
   * it ends by itself when the channel to the agent closes.
   * @param asynchronous operations it will have in flight at once at most, besides blocking ones
   */
  fork(runner: number, asynchronous: number): void {
    const { entry, env, log } = this.#options;
    const scratch = new RunnerScratch(log);
    const child = fork(entry, [], {
      serialization: 'advanced',
      detached: true,
      execArgv: [...runnerArguments],
      env: { ...env, ...runnerEnvironment(asynchronous), ...scratch.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#runners.set(runner, { child, scratch });
    this.#watch(runner, child, scratch);
    for (const output of [child.stdout, child.stderr]) {
      if (output) forward(output, log);
    }
    if (child.pid === undefined) return;
    log('debug', `workload process ${String(child.pid)} started`);
    raiseOomScore(child.pid, log);
  }

  send(runner: number, command: RunnerCommand): void {
    const child = this.#runners.get(runner)?.child;
    if (!child?.connected) return;
    child.send(command, (error) => {
      // The channel broke: the process is going, and its end will be reported.
      if (error) this.#options.log('debug', `${command.kind} did not reach the workload process`);
    });
  }

  kill(runner: number): void {
    this.#runners.get(runner)?.child.kill('SIGKILL');
  }

  /** Kills all and waits for none: one that is stuck in the kernel must not keep the agent from leaving. */
  abandonAll(): void {
    for (const { child, scratch } of this.#runners.values()) {
      child.kill('SIGKILL');
      if (child.connected) child.disconnect();
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      this.#remove(scratch);
    }
  }

  /** Nothing of a runner that has ended, or was abandoned, is left in the folder for temporary files. */
  async removed(): Promise<void> {
    await Promise.all(this.#removals);
  }

  /** What agents and workload processes left that were killed, this agent's own among them. */
  removeAbandoned(): void {
    this.#await(removeAbandonedFolders(this.#options.log));
  }

  #remove(scratch: RunnerScratch): void {
    this.#await(scratch.remove());
    this.removeAbandoned();
  }

  #await(work: Promise<void>): void {
    const removal = work.finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  #watch(runner: number, child: ChildProcess, scratch: RunnerScratch): void {
    const { onEvent, onExit } = this.#options;
    let exit: RunnerExit | undefined;
    let ended = false;
    // Its last messages are still read after it ended, until the channel is closed.
    const settle = (): void => {
      if (!exit || ended || child.connected) return;
      ended = true;
      this.#runners.delete(runner);
      this.#remove(scratch);
      onExit(runner, exit);
    };
    child.on('message', (event) => {
      onEvent(runner, event as unknown as RunnerEvent);
    });
    child.on('exit', (code, signal) => {
      exit ??= { code, signal };
      settle();
    });
    child.on('disconnect', settle);
    child.on('error', (error) => {
      if (child.pid !== undefined) {
        this.#options.log('debug', `workload process: ${reasonOf(error)}`);
        return;
      }
      exit = { code: null, signal: null, failure: reasonOf(error) };
      if (child.connected) child.disconnect();
      settle();
    });
  }
}

/** What a runner prints is not part of the protocol: a crash's last words, mostly. */
function forward(output: Readable, log: Log): void {
  createInterface({ input: output }).on('line', (line) => {
    log('warn', `workload process: ${line}`);
  });
}

function raiseOomScore(pid: number, log: Log): void {
  if (process.platform !== 'linux') return;
  try {
    writeFileSync(`/proc/${String(pid)}/oom_score_adj`, oomScoreAdjustment);
  } catch (thrown) {
    // It may have ended already, or /proc be hidden: the protection is lost, the run is not.
    log('debug', `cannot raise the workload process's oom_score_adj: ${reasonOf(thrown)}`);
  }
}
