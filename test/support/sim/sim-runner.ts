import type { Assignment, StageAssignment } from '../../../src/shared/model/assignment.js';
import type { EndedBy, OperationStats } from '../../../src/shared/model/messages.js';
import type { RunnerCommand, RunnerEvent } from '../../../src/agent/runner/protocol.js';
import type { RunnerExit } from '../../../src/agent/core/session-io.js';
import { encodeCount } from './counted.js';
import { SimProcess, type SimClock, type World } from './world.js';

/** One stage as it really ran, in the world's time: what all reports are checked against. */
export interface LoadTruth {
  readonly agent: number;
  readonly runId: string;
  readonly stage: number;
  readonly epoch: number;
  readonly beganMs: number;
  /** When no more was issued. */
  endedMs: number | undefined;
  /** When an operation last completed. */
  activeUntilMs: number;
  operations: number;
}

/** How one workload process behaves. */
export interface RunnerTraits {
  readonly operationsPerSecond: number;
  readonly prepareMs: number;
  /** Operations in flight need this long to come back. */
  readonly drainMs: number;
  readonly cleanupMs: number;
  /** Does nothing at an abort: only SIGKILL ends it. */
  readonly deaf: boolean;
}

export interface RunnerHooks {
  event(event: RunnerEvent): void;
  exited(exit: RunnerExit): void;
  readonly truths: LoadTruth[];
}

interface Load {
  readonly stage: StageAssignment;
  readonly t0Ms: number;
  readonly atNs: bigint;
  readonly truth: LoadTruth;
  countedUntilMs: number;
  operations: number;
  sampledOperations: number;
  intervals: number;
  /** Set when no more is issued: when operations in flight are back. */
  drainedAtMs: number | undefined;
  endedBy: EndedBy;
}

/** The workload process: prepares, waits for its instant, counts operations that take no effort, and dies when told. */
export class SimRunner {
  readonly process: SimProcess;
  readonly #agent: number;
  readonly #traits: RunnerTraits;
  readonly #hooks: RunnerHooks;
  #assignment: Assignment | undefined;
  #phase: 'new' | 'preparing' | 'ready' | 'loading' | 'cleaning' | 'idle' = 'new';
  #busyUntilMs = 0;
  #beganMs = 0;
  #stage = 0;
  #armed: { epoch: number; atNs: bigint; go: boolean } | undefined;
  #load: Load | undefined;
  #leaseUntilNs: bigint | undefined;
  #reportAtMs: number;
  #stalledUntilMs = 0;
  /** Over how many agents a rate is divided. */
  #parts = 1;

  constructor(
    world: World,
    clock: SimClock,
    agent: number,
    traits: RunnerTraits,
    hooks: RunnerHooks,
  ) {
    this.#agent = agent;
    this.#traits = traits;
    this.#hooks = hooks;
    this.process = new SimProcess(world, clock, () => {
      this.#work();
    });
    this.#reportAtMs = this.#nowMs + 1000;
    this.#rearm();
  }

  /** The storage hangs: nothing completes for so long. */
  stall(ms: number): void {
    this.#count();
    this.#stalledUntilMs = this.#nowMs + ms;
  }

  freeze(): void {
    this.#count();
    this.process.freeze();
  }

  unfreeze(): void {
    // What did not run did nothing.
    if (this.#load && !this.process.dead) this.#load.countedUntilMs = this.#nowMs;
    this.process.unfreeze();
  }

  command(command: RunnerCommand): void {
    this.process.receive(() => {
      this.#obey(command);
      this.#work();
    });
  }

  kill(signal: string): void {
    this.#die({ code: null, signal });
  }

  /** IPC to control is closed: the runner does not outlive its owner. */
  orphaned(): void {
    this.process.receive(() => {
      this.#die({ code: 1, signal: null });
    });
  }

  get #nowMs(): number {
    return this.process.clock.nowMs;
  }

  #obey(command: RunnerCommand): void {
    switch (command.kind) {
      case 'prepare':
        this.#assignment = command.assignment;
        this.#parts = command.assignment.agentCount;
        this.#beganMs = this.#nowMs;
        this.#phase = command.assignment.mode === 'cleanup' ? 'cleaning' : 'preparing';
        this.#busyUntilMs =
          this.#nowMs +
          (this.#phase === 'cleaning' ? this.#traits.cleanupMs : this.#traits.prepareMs);
        if (this.#agent === 0 && command.assignment.namespace === 'shared') {
          this.#hooks.event({ kind: 'marked' });
        }
        return;
      case 'arm': {
        const { stage, epoch, atNs } = command;
        if (this.#phase === 'ready' && stage > this.#stage && !this.#armed?.go) {
          this.#armed = undefined;
          this.#stage = stage;
          this.#phase = 'preparing';
          this.#busyUntilMs = this.#nowMs + 20;
          return;
        }
        if (this.#phase !== 'ready' || stage !== this.#stage) return;
        this.#armed = { epoch, atNs, go: false };
        if (this.process.clock.now().ns >= atNs) this.#missed('the instant had passed');
        else this.#hooks.event({ kind: 'armed', stage, epoch });
        return;
      }
      case 'go':
        if (this.#armed?.epoch === command.epoch) this.#armed.go = true;
        return;
      case 'share':
        this.#count();
        this.#parts = command.count;
        return;
      case 'abort':
        this.#abort(command.reason);
        return;
      case 'cleanup':
        if (this.#load || this.#armed?.go) return;
        this.#armed = undefined;
        this.#phase = 'cleaning';
        this.#beganMs = this.#nowMs;
        this.#busyUntilMs = this.#nowMs + this.#traits.cleanupMs;
        return;
      case 'lease':
        this.#leaseUntilNs = command.untilNs;
        return;
      case 'quit':
        this.#die({ code: 0, signal: null });
        return;
      default:
        command satisfies never;
    }
  }

  #abort(reason: string): void {
    if (this.#traits.deaf) {
      if (this.#load) this.#stop(this.#load, 'aborted', Infinity);
      return;
    }
    if (this.#load) this.#finishLoad(this.#load, 'aborted');
    this.#phase = 'idle';
    this.#armed = undefined;
    this.#hooks.event({ kind: 'aborted', reason });
  }

  /** Does whatever is due now, and sets the timer for the next. */
  #work(): void {
    const now = this.process.clock.now();
    if (this.#leaseUntilNs !== undefined && now.ns >= this.#leaseUntilNs) {
      this.#die({ code: 3, signal: null });
      return;
    }
    if (this.#load) this.#continueLoad(this.#load, now.ms);
    else if (this.#armed && now.ns >= this.#armed.atNs) this.#instant(this.#armed);
    else if (now.ms >= this.#busyUntilMs) this.#workDone();
    if (now.ms >= this.#reportAtMs) this.#report(now.ms);
    this.#rearm();
  }

  #workDone(): void {
    if (this.#phase === 'preparing') {
      if (this.#assignment?.mode === 'prepare') {
        this.#phase = 'idle';
        this.#hooks.event({ kind: 'prepared' });
        return;
      }
      this.#phase = 'ready';
      this.#hooks.event({ kind: 'ready', stage: this.#stage });
    } else if (this.#phase === 'cleaning') {
      this.#phase = 'idle';
      this.#hooks.event({ kind: 'cleaned', files: 4, warnings: [] });
    }
  }

  #report(nowMs: number): void {
    this.#reportAtMs = nowMs + 1000;
    const load = this.#load;
    if (load) this.#count();
    const stalled = load !== undefined && nowMs < this.#stalledUntilMs;
    this.#hooks.event({
      kind: 'report',
      rssBytes: 1 << 20,
      operations: load ? Math.floor(load.operations) : 0,
      inFlight: load ? 1 : 0,
      oldestInFlightNs: stalled ? Math.round((nowMs - load.countedUntilMs) * 1e6) : 0,
    });
    if (this.#phase !== 'preparing' && this.#phase !== 'cleaning') return;
    const done = Math.round(nowMs - this.#beganMs);
    const total = Math.round(this.#busyUntilMs - this.#beganMs);
    const phase = this.#phase === 'preparing' ? 'prepare' : 'cleanup';
    const files = { filesDone: Math.min(done, total), filesTotal: total };
    this.#hooks.event({ kind: 'progress', phase, ...files, bytesDone: 0, bytesTotal: 0 });
  }

  #missed(reason: string): void {
    const epoch = this.#armed?.epoch ?? 0;
    this.#armed = undefined;
    this.#hooks.event({ kind: 'missed', stage: this.#stage, epoch, reason });
  }

  #instant(armed: { epoch: number; atNs: bigint; go: boolean }): void {
    if (!armed.go) {
      this.#missed('no Go at the instant');
      return;
    }
    const stage = this.#assignment?.stages[this.#stage];
    if (!stage || !this.#assignment) return;
    const { epoch, atNs } = armed;
    this.#armed = undefined;
    this.#phase = 'loading';
    const now = this.process.clock.now();
    const truth: LoadTruth = {
      agent: this.#agent,
      runId: this.#assignment.runId,
      stage: stage.index,
      epoch,
      beganMs: this.process.world.nowMs,
      endedMs: undefined,
      activeUntilMs: this.process.world.nowMs,
      operations: 0,
    };
    this.#hooks.truths.push(truth);
    this.#load = {
      stage,
      t0Ms: Number(atNs) / 1e6,
      atNs,
      truth,
      countedUntilMs: now.ms,
      operations: 0,
      sampledOperations: 0,
      intervals: 0,
      drainedAtMs: undefined,
      endedBy: 'duration',
    };
    this.#hooks.event({
      kind: 'started',
      stage: stage.index,
      epoch,
      firstOperationNs: now.ns,
      atNs,
    });
    this.#continueLoad(this.#load, now.ms);
  }

  #continueLoad(load: Load, nowMs: number): void {
    this.#count();
    const { durationMs, maxOperations } = load.stage;
    if (load.drainedAtMs === undefined) {
      if (maxOperations !== undefined && load.operations >= maxOperations) {
        this.#stop(load, 'operations', this.#traits.drainMs);
      } else if (durationMs !== undefined && nowMs >= load.t0Ms + durationMs) {
        this.#stop(load, 'duration', this.#traits.drainMs);
      }
    }
    this.#sample(load, nowMs, false);
    if (load.drainedAtMs !== undefined && nowMs >= load.drainedAtMs) {
      this.#finishLoad(load, load.endedBy);
      this.#stage += 1;
      this.#phase = this.#stage < (this.#assignment?.stages.length ?? 0) ? 'preparing' : 'idle';
      this.#busyUntilMs = nowMs + 20;
    }
  }

  #stop(load: Load, endedBy: EndedBy, drainMs: number): void {
    if (load.drainedAtMs !== undefined) return;
    load.endedBy = endedBy;
    const stallMs = Math.max(0, this.#stalledUntilMs - this.#nowMs);
    load.drainedAtMs = this.#nowMs + Math.max(drainMs, stallMs);
    load.truth.endedMs = this.process.world.nowMs;
    this.#hooks.event({ kind: 'draining', stage: load.stage.index });
  }

  /** Operations complete at a steady rate, but for the time in which the storage hangs. */
  #count(): void {
    const load = this.#load;
    if (!load || load.drainedAtMs !== undefined) return;
    const { durationMs, maxOperations } = load.stage;
    const end = durationMs === undefined ? this.#nowMs : load.t0Ms + durationMs;
    const until = Math.min(this.#nowMs, Math.max(end, load.countedUntilMs));
    const from = Math.max(load.countedUntilMs, Math.min(until, this.#stalledUntilMs));
    const done = ((until - from) / 1000) * this.#speed(load);
    load.operations = Math.min(load.operations + Math.max(0, done), maxOperations ?? Infinity);
    if (from < until) load.countedUntilMs = until;
    // An operation that is complete but for a rounding error is complete.
    load.truth.operations = Math.floor(load.operations + 0.01);
    if (from < until) load.truth.activeUntilMs = this.process.clock.worldTime(until);
  }

  /** The storage keeps up with every rate. */
  #speed({ stage }: Load): number {
    const rate = stage.rate?.steps[0]?.from;
    return rate === undefined ? this.#traits.operationsPerSecond : rate / this.#parts;
  }

  /** Boundaries that were slept through become one longer interval; `last`: also what is left of a second. */
  #sample(load: Load, nowMs: number, last: boolean): void {
    const elapsed = (nowMs - load.t0Ms) / 1000;
    const delta = load.truth.operations - load.sampledOperations;
    let whole = Math.floor(elapsed);
    if (last) whole = Math.max(Math.ceil(elapsed - 1e-3), load.intervals + (delta > 0 ? 1 : 0));
    if (whole <= load.intervals) return;
    load.sampledOperations = load.truth.operations;
    this.#hooks.event({
      kind: 'interval',
      stage: load.stage.index,
      first: load.intervals,
      last: whole - 1,
      operations: [statsOf(load, delta)],
      inFlight: 1,
      oldestInFlightNs: 0,
      sampledLateNs: 0,
      runnerCpu: 0.5,
      hostCpu: 0.5,
      runnerLoopDelayNs: 0,
      busiestThreadCpu: 0,
      lateWakeUps: 0,
      runnerGcNs: 0,
      controlLoopDelayNs: 0,
      controlGcNs: 0,
    });
    load.intervals = whole;
  }

  #finishLoad(load: Load, endedBy: EndedBy): void {
    this.#count();
    this.#sample(load, this.#nowMs, true);
    this.#load = undefined;
    load.truth.endedMs ??= this.process.world.nowMs;
    this.#hooks.event({
      kind: 'stageResult',
      stage: load.stage.index,
      endedBy,
      atNs: load.atNs,
      firstOperationNs: load.atNs,
      lastOperationNs: this.process.clock.now().ns,
      intervals: load.intervals,
      abandoned: 0,
      operations: [statsOf(load, load.truth.operations)],
      warmup: [],
      mechanism: 'simulated',
      warnings: [],
      endedNs: this.process.clock.now().ns,
      syncs: new Uint8Array(),
    });
  }

  #die(exit: RunnerExit): void {
    if (this.process.dead) return;
    if (this.#load) {
      this.#count();
      this.#load.truth.endedMs ??= this.process.world.nowMs;
    }
    this.process.kill();
    this.#hooks.exited(exit);
  }

  #rearm(): void {
    if (this.process.dead) return;
    const due = [this.#reportAtMs];
    const load = this.#load;
    if (this.#leaseUntilNs !== undefined) due.push(Number(this.#leaseUntilNs) / 1e6);
    if (this.#armed) due.push(Number(this.#armed.atNs) / 1e6);
    if (this.#busyUntilMs > this.#nowMs) due.push(this.#busyUntilMs);
    if (load) {
      due.push(load.t0Ms + (load.intervals + 1) * 1000);
      if (load.drainedAtMs !== undefined) due.push(load.drainedAtMs);
      else if (load.stage.durationMs !== undefined) due.push(load.t0Ms + load.stage.durationMs);
      if (load.drainedAtMs === undefined && load.stage.maxOperations !== undefined) {
        const left = Math.max(0, load.stage.maxOperations - load.operations);
        const stalled = Math.max(0, this.#stalledUntilMs - this.#nowMs);
        due.push(this.#nowMs + stalled + (left / this.#speed(load)) * 1000);
      }
    }
    const next = Math.min(...due);
    this.process.wakeAt(Number.isFinite(next) ? next : undefined);
  }
}

/** The histogram of a range carries its count, so that sums over ranges can be checked. */
function statsOf(load: Load, delta: number): OperationStats {
  return {
    operation: 'read',
    count: load.truth.operations,
    bytes: load.truth.operations * 4096,
    errors: [],
    missedSchedules: 0,
    unissuedSchedules: 0,
    service: encodeCount(delta),
    response: new Uint8Array(),
    failed: new Uint8Array(),
  };
}
