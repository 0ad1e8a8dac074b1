import { unpaced } from '../../src/shared/model/pacing.js';
import type { Instant } from '../../src/shared/kernel/clock.js';
import type {
  AgentMessage,
  ControllerMessage,
  Interval,
  StageResult,
} from '../../src/shared/model/messages.js';
import { protocolVersion } from '../../src/shared/model/messages.js';
import type { Assignment } from '../../src/shared/model/assignment.js';
import type { RunnerCommand, RunnerEvent } from '../../src/agent/runner/protocol.js';
import { AgentSession } from '../../src/agent/core/session.js';
import type {
  HistogramSum,
  Open,
  RunnerExit,
  SessionEffect,
  SessionInput,
  SessionOptions,
} from '../../src/agent/core/session-io.js';

type Kind<M, K> = Extract<M, { readonly kind: K }>;

/** Stands in for a histogram: keeps what was added, byte after byte. */
class Concatenation implements HistogramSum {
  readonly #bytes: number[] = [];

  add(encoded: Uint8Array): void {
    this.#bytes.push(...encoded);
  }

  encode(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

export const runId = '7f3a';

export function assignmentOf(overrides: Partial<Assignment> = {}): Assignment {
  return {
    runId,
    mode: 'run',
    agentIndex: 0,
    agentCount: 1,
    agentId: 'agent-1',
    target: '/tmp/target',
    namespace: 'private',
    seed: 1,
    creator: 'root@ctl1',
    dataset: {
      name: 'muster',
      hash: 'ab'.repeat(32),
      fileSizeBytes: 4096,
      fileSizes: undefined,
      directories: { width: 1, depth: 0 },
      content: 'random',
      prepare: { threads: undefined, blockSizeBytes: 1_048_576, direct: false },
      verify: false,
      own: { from: 0, to: 1 },
      use: { from: 0, to: 1 },
      skipPrepare: false,
    },
    stages: [0, 1].map((index) => ({
      index,
      name: `stage-${String(index)}`,
      mix: [{ operation: 'read', weight: 1 }],
      blockSizeBytes: 4096,
      blockSizes: undefined,
      access: 'random',
      verify: false,
      threads: 1,
      direct: false,
      noatime: false,
      fsync: 'never',
      fio: undefined,
      iodepth: 1,
      sync: 'none',
      fdatasync: false,
      dropCache: false,
      durationMs: 1000,
      maxOperations: undefined,
      maxBytes: undefined,
      shift: undefined,
      ...unpaced,
    })),
    timeouts: {
      drainMs: 30_000,
      abortMs: 5_000,
      leaseMs: 150_000,
      operationMs: undefined,
      reconnectWindowMs: 30_000,
      runnerSilenceMs: 120_000,
    },
    ...overrides,
  };
}

export function openOf(overrides: Partial<Open> = {}): Open {
  return {
    kind: 'open',
    protocol: protocolVersion,
    nonce: new Uint8Array(16),
    runId,
    secret: 'secret',
    identity: 'root@ctl1',
    generation: 1,
    steal: false,
    held: [],
    received: 0n,
    ...overrides,
  };
}

export function intervalOf(overrides: Partial<Interval> = {}): Interval {
  return {
    stage: 0,
    first: 0,
    last: 0,
    operations: [],
    inFlight: 0,
    oldestInFlightNs: 0,
    sampledLateNs: 0,
    runnerCpu: 0,
    hostCpu: 0,
    runnerLoopDelayNs: 0,
    busiestThreadCpu: 0,
    lateWakeUps: 0,
    runnerGcNs: 0,
    controlLoopDelayNs: 0,
    controlGcNs: 0,
    ...overrides,
  };
}

export function resultOf(overrides: Partial<StageResult> = {}): StageResult {
  return {
    stage: 0,
    endedBy: 'duration',
    atNs: 0n,
    firstOperationNs: 0n,
    lastOperationNs: 0n,
    intervals: 1,
    abandoned: 0,
    operations: [],
    mechanism: 'psync',
    warmup: [],
    warnings: [],
    endedNs: 0n,
    syncs: new Uint8Array(),
    ...overrides,
  };
}

/** Drives an AgentSession by hand on its own time and keeps the effects of the last input and of all. */
export class AgentDriver {
  readonly session: AgentSession;
  readonly all: SessionEffect[] = [];
  last: readonly SessionEffect[] = [];
  #nowMs = 1_000;
  #stream = 0;

  constructor(options: Partial<SessionOptions> = {}) {
    this.session = new AgentSession({
      once: false,
      roots: [],
      parseAssignment: (json) => JSON.parse(json) as Assignment,
      createHistogram: () => new Concatenation(),
      ...options,
    });
  }

  get now(): Instant {
    const ms = this.#nowMs;
    return { ms, ns: BigInt(Math.round(ms * 1e6)), unixMs: 1_700_000_000_000 + Math.round(ms) };
  }

  input(input: SessionInput): this {
    this.last = this.session.handle(input, this.now);
    this.all.push(...this.last);
    return this;
  }

  open(overrides: Partial<Open> = {}): this {
    return this.input({ kind: 'opened', stream: ++this.#stream, open: openOf(overrides) });
  }

  /** The number of the newest stream. */
  get stream(): number {
    return this.#stream;
  }

  receive(message: ControllerMessage, stream = this.#stream): this {
    return this.input({ kind: 'message', stream, message, receivedNs: this.now.ns });
  }

  detach(stream = this.#stream): this {
    return this.input({ kind: 'detached', stream, reason: 'Stream closed by controller' });
  }

  runner(event: RunnerEvent, runner = this.lastRunner): this {
    return this.input({ kind: 'runner', runner, event });
  }

  runnerExits(exit: Partial<RunnerExit>, runner = this.lastRunner): this {
    return this.input({
      kind: 'runnerExited',
      runner,
      exit: { code: null, signal: null, ...exit },
    });
  }

  get lastRunner(): number {
    return this.effects('forkRunner').at(-1)?.runner ?? 0;
  }

  tick(): this {
    return this.input({ kind: 'tick', health: { loopDelayNs: 0, rssBytes: 1 } });
  }

  /** Time goes by, with a tick whenever the session asks for one. */
  advance(ms: number): this {
    const end = this.#nowMs + ms;
    for (let wake = this.session.wakeAt(); wake !== undefined && wake <= end;) {
      this.#nowMs = Math.max(this.#nowMs, wake);
      this.tick();
      const next = this.session.wakeAt();
      if (next !== undefined && next <= wake && next <= this.#nowMs) {
        throw new Error(`the session asks for a tick at ${String(next)} again and again`);
      }
      wake = next;
    }
    this.#nowMs = end;
    return this;
  }

  /** Time goes by, and nobody is told: the process did not run. */
  freeze(ms: number): this {
    this.#nowMs += ms;
    return this;
  }

  prepare(overrides: Partial<Assignment> = {}): this {
    return this.receive({ kind: 'prepare', assignment: JSON.stringify(assignmentOf(overrides)) });
  }

  /** From wherever a fresh driver is to READY for stage 0. */
  ready(overrides: Partial<Assignment> = {}): this {
    return this.open().prepare(overrides).runner({ kind: 'ready', stage: 0 });
  }

  armed(overrides: Partial<Assignment> = {}): this {
    return this.ready(overrides)
      .receive({ kind: 'start', stage: 0, epoch: 1, atNs: 5_000_000_000n })
      .runner({ kind: 'armed', stage: 0, epoch: 1 });
  }

  running(overrides: Partial<Assignment> = {}): this {
    return this.armed(overrides).receive({ kind: 'go', stage: 0, epoch: 1 }).runner({
      kind: 'started',
      stage: 0,
      epoch: 1,
      firstOperationNs: 5_000_000_100n,
      atNs: 5_000_000_000n,
    });
  }

  draining(overrides: Partial<Assignment> = {}): this {
    return this.running(overrides).runner({ kind: 'draining', stage: 0 });
  }

  completed(): this {
    return this.running({ stages: assignmentOf().stages.slice(0, 1) }).runner({
      kind: 'stageResult',
      ...resultOf(),
    });
  }

  effects<K extends SessionEffect['kind']>(
    kind: K,
    of: readonly SessionEffect[] = this.all,
  ): Kind<SessionEffect, K>[] {
    return of.filter((effect): effect is Kind<SessionEffect, K> => effect.kind === kind);
  }

  /** Messages of a kind, sent so far. */
  sent<K extends AgentMessage['kind']>(
    kind: K,
    of: readonly SessionEffect[] = this.all,
  ): Kind<AgentMessage, K>[] {
    return this.effects('send', of)
      .map(({ message }) => message)
      .filter((message): message is Kind<AgentMessage, K> => message.kind === kind);
  }

  /** Commands of a kind, given to runners so far. */
  ordered<K extends RunnerCommand['kind']>(
    kind: K,
    of: readonly SessionEffect[] = this.all,
  ): Kind<RunnerCommand, K>[] {
    return this.effects('runner', of)
      .map(({ command }) => command)
      .filter((command): command is Kind<RunnerCommand, K> => command.kind === kind);
  }

  /** Lines of the agent's own log. */
  lines(of: readonly SessionEffect[] = this.all): string[] {
    return this.effects('log', of).map(({ line }) => line);
  }
}
