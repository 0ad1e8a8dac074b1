import { fork } from 'node:child_process';
import { unpaced } from '../../src/shared/model/pacing.js';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { noConsent } from '../../src/agent/core/given-guard.js';
import { runnerArguments, runnerEnvironment } from '../../src/agent/shell/runner-environment.js';
import type { RunnerCommand, RunnerEvent } from '../../src/agent/runner/protocol.js';
import type { Assignment, StageAssignment } from '../../src/shared/model/assignment.js';

type EventOf<K extends RunnerEvent['kind']> = Extract<RunnerEvent, { kind: K }>;

/** The runner's real child process, driven over IPC as the agent's control process does it. */
export class RunnerProcess {
  readonly events: RunnerEvent[] = [];
  readonly child: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** T0 of the latest attempt of `start`. */
  latestStartNs = 0n;
  readonly #listeners = new Set<() => void>();
  #hasExited = false;
  #onMissed: (missed: EventOf<'missed'>) => void = () => undefined;

  /**
   * @param asynchronous operations in flight at once at most, where stages have an iodepth
   * @param through a command that starts the process and watches it, such as strace
   * @param v8Flags with any, what V8 prints comes through `child.stdout`
   */
  constructor(asynchronous = 0, through: readonly string[] = [], v8Flags: readonly string[] = []) {
    const script = fileURLToPath(new URL('../../src/agent/runner/main.js', import.meta.url));
    const [execPath, ...execArgv] = [...through, process.execPath, ...runnerArguments, ...v8Flags];
    this.child = fork(script, [], {
      execPath,
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', v8Flags.length > 0 ? 'pipe' : 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...runnerEnvironment(asynchronous) },
    });
    this.child.on('message', (event) => {
      const heard = event as RunnerEvent;
      this.events.push(heard);
      if (heard.kind === 'missed') this.#onMissed(heard);
      this.#wake();
    });
    this.exited = new Promise((resolve) => {
      this.child.on('exit', (code, signal) => {
        this.#hasExited = true;
        resolve({ code, signal });
        this.#wake();
      });
    });
  }

  tell(command: RunnerCommand): void {
    this.child.send(command);
  }

  prepare(assignment: Assignment, roots: readonly string[] = [], consent = noConsent): void {
    this.tell({ kind: 'prepare', assignment, roots, consent });
  }

  /** The first event of the kind that satisfies the condition, past or to come; fails when the process ends before. */
  async event<K extends RunnerEvent['kind']>(
    kind: K,
    where: (event: EventOf<K>) => boolean = () => true,
  ): Promise<EventOf<K>> {
    for (;;) {
      const found = this.all(kind).find(where);
      if (found !== undefined) return found;
      const failed = this.all('failed')[0];
      if (failed !== undefined) throw new Error(`runner failed: ${failed.code}: ${failed.message}`);
      if (this.#hasExited) throw new Error(`runner exited before "${kind}"`);
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  /** The runner's failure, past or to come. */
  async failure(): Promise<EventOf<'failed'>> {
    try {
      await this.event('failed');
    } catch {
      // `event` fails with it; here it is what is asked for.
    }
    const failed = this.all('failed')[0];
    if (failed === undefined) throw new Error('runner exited without a failure');
    return failed;
  }

  all<K extends RunnerEvent['kind']>(kind: K): readonly EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind);
  }

  /**
   * Arms the stage `leadMs` ahead and lets it go; again, with a longer lead, where a busy machine took longer than that.
   * @returns T0 of the first attempt
   */
  async start(stage: number, epoch = 1, leadMs = 50): Promise<bigint> {
    await this.event('ready', (event) => event.stage === stage);
    return this.#attempt(stage, epoch, leadMs);
  }

  #attempt(stage: number, epoch: number, leadMs: number): bigint {
    this.#onMissed = (missed) => {
      if (missed.epoch === epoch) this.#attempt(stage, epoch + 1, leadMs * 4);
    };
    const atNs = process.hrtime.bigint() + BigInt(leadMs) * 1_000_000n;
    this.latestStartNs = atNs;
    this.tell({ kind: 'arm', stage, epoch, atNs });
    this.tell({ kind: 'go', stage, epoch });
    return atNs;
  }

  /** Prepares, runs all stages and returns the results. */
  async run(
    assignment: Assignment,
    consent = noConsent,
  ): Promise<readonly EventOf<'stageResult'>[]> {
    this.prepare(assignment, [], consent);
    for (const { index } of assignment.stages) {
      await this.start(index);
      await this.event('stageResult', (event) => event.stage === index);
    }
    return this.all('stageResult');
  }

  /** Ends the process whatever it is doing. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  #wake(): void {
    const waiting = [...this.#listeners];
    this.#listeners.clear();
    for (const resolve of waiting) resolve();
  }
}

/** A stage of reads for half a second; every field can be replaced. */
export function stageOf(fields: Partial<StageAssignment> = {}): StageAssignment {
  return {
    index: 0,
    name: 'stage',
    mix: [{ operation: 'read', weight: 1 }],
    blockSizeBytes: 4096,
    blockSizes: undefined,
    access: 'random',
    verify: false,
    threads: 2,
    direct: false,
    noatime: false,
    fsync: 'never',
    fio: undefined,
    iodepth: 1,
    sync: 'none',
    fdatasync: false,
    dropCache: false,
    durationMs: 500,
    maxOperations: undefined,
    maxBytes: undefined,
    ...unpaced,
    ...fields,
  };
}

/** A run of one agent on `target` with 8 files of 64 KiB; every field can be replaced. */
export function assignmentOf(
  target: string,
  stages: readonly StageAssignment[],
  fields: Partial<Omit<Assignment, 'dataset'>> & {
    readonly dataset?: Partial<Assignment['dataset']>;
  } = {},
): Assignment {
  const { dataset, ...others } = fields;
  return {
    runId: '7f3a0000-test',
    mode: 'run',
    agentIndex: 0,
    agentCount: 1,
    agentId: 'agent-0',
    target,
    namespace: 'private',
    seed: 42,
    creator: 'tester@test',
    stages: stages.map((stage, index) => ({ ...stage, index })),
    timeouts: {
      drainMs: 30_000,
      abortMs: 5_000,
      leaseMs: 150_000,
      operationMs: undefined,
      reconnectWindowMs: 30_000,
      runnerSilenceMs: 120_000,
    },
    ...others,
    dataset: {
      name: 'ds1',
      hash: 'a1b2c3',
      fileSizeBytes: 65_536,
      fileSizes: undefined,
      directories: { width: 1, depth: 0 },
      content: 'random',
      prepare: { threads: undefined, blockSizeBytes: 1_048_576, direct: false },
      verify: false,
      own: { from: 0, to: 8 },
      use: { from: 0, to: 8 },
      skipPrepare: false,
      ...dataset,
    },
  };
}
