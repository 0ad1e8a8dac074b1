import type { Cancel } from '../../shared/kernel/clock.js';
import type { Assignment, StageAssignment } from '../../shared/model/assignment.js';
import type { EndedBy, StageResult } from '../../shared/model/messages.js';
import type { DroppedCache } from './drop-cache.js';
import { errorRateProblem } from './error-rules.js';
import { Aborted } from './failure.js';
import { IntervalClock } from './interval-clock.js';
import { bytesOf } from './choosing/bytes-of.js';
import type { LoadFigures } from './protocol.js';
import type { RunnerParts } from './runner-parts.js';
import { StarvationWatch } from './runnable-threads.js';
import { reportDelayMs, StaggeredReports } from './staggered-reports.js';
import { Sampler } from './sampler.js';
import type { Churn, StageWorkers } from './stage-workers.js';

/** How long after T0 the runner looks whether the first operation has begun … */
const firstLookMs = 10;
/** … and how often from then on, until it has. */
const lookEveryMs = 1000;

export interface StageEnd {
  readonly result: StageResult;
  /** undefined: not all workers came back. */
  readonly churn: Churn | undefined;
  /** Errors ended the stage, which fails the agent: one sentence. */
  readonly failure?: string | undefined;
}

/** A stage that the run went on with without this agent. */
export interface LeftOut {
  readonly result: undefined;
  readonly churn: Churn;
  readonly failure: undefined;
}

/** The load of one stage from T0 on: watched, cut into intervals, ended by its limits or by an abort. */
export class StageLoad {
  readonly #parts: RunnerParts;
  readonly #stage: StageAssignment;
  readonly #workers: StageWorkers;
  readonly #dropped: DroppedCache | undefined;
  readonly #sampler: Sampler;
  readonly #intervals: IntervalClock;
  readonly #reports: StaggeredReports;
  /** T0. */
  readonly #atNs: number;
  /** When second 0 begins: after the warm-up. */
  readonly #measuredNs: number;
  readonly #warmup: Sampler | undefined;
  readonly #starvation = new StarvationWatch();
  readonly #epoch: number;
  #isStarted = false;
  #cancelLook: Cancel = () => undefined;
  #isDraining = false;
  #failure: string | undefined;
  /** When nothing more was issued. */
  #endedNs: number | undefined;

  constructor(
    parts: RunnerParts,
    assignment: Assignment,
    stage: StageAssignment,
    workers: StageWorkers,
    start: { readonly epoch: number; readonly atNs: number },
    dropped: DroppedCache | undefined,
  ) {
    this.#parts = parts;
    this.#stage = stage;
    this.#workers = workers;
    this.#dropped = dropped;
    this.#atNs = start.atNs;
    this.#epoch = start.epoch;
    const kinds = stage.mix.map(({ operation }) => operation);
    const sizes = { ...stage, ...assignment.dataset };
    const bytes = kinds.map((kind) => bytesOf(kind, sizes));
    this.#measuredNs = start.atNs + stage.warmupMs * 1e6;
    this.#sampler = new Sampler(workers.memories, kinds, bytes);
    if (stage.warmupMs > 0) this.#warmup = new Sampler(workers.warmupMemories, kinds, bytes);
    this.#reports = new StaggeredReports(parts.clock, reportDelayMs(assignment), (interval) => {
      parts.emit({ kind: 'interval', ...interval });
    });
    this.#intervals = new IntervalClock({
      stage: stage.index,
      atNs: this.#measuredNs,
      sampler: this.#sampler,
      clock: parts.clock,
      base: parts.base,
      emit: (interval) => {
        this.#lookForStart();
        this.#reports.put(interval);
        const problem = errorRateProblem(stage, this.#sampler, false);
        if (problem !== undefined) this.#fail(problem);
      },
    });
  }

  /**
   * Until all workers have come to their limits or, after an abort, have stopped or had their time to.
   * @throws RunnerFailure when one failed otherwise
   */
  async complete(): Promise<StageEnd> {
    const cancels = this.#timers();
    const { done, stopped } = this.#workers;
    const { signal } = this.#parts;
    const noteEnd = (): void => {
      this.#noteEnd();
    };
    signal.addEventListener('abort', noteEnd, { once: true });
    if (signal.aborted) noteEnd();
    void stopped.then((error) => {
      this.#fail(`stage "${this.#stage.name}": ${error}, and error_policy is stop`);
    });
    try {
      const { endedBy, churn } = await done;
      if (signal.aborted) return { result: this.#result('aborted'), churn: undefined };
      this.#drain();
      const result = this.#result(mainReason(endedBy));
      const failure = this.#failure ?? errorRateProblem(this.#stage, this.#sampler, true);
      if (failure === undefined) return { result, churn };
      return { result: { ...result, endedBy: 'error' }, churn, failure };
    } catch (error) {
      if (!(error instanceof Aborted)) throw error;
      return { result: this.#result('aborted'), churn: undefined };
    } finally {
      signal.removeEventListener('abort', noteEnd);
      for (const cancel of cancels) cancel();
    }
  }

  /** For the report once a second. */
  figures(): LoadFigures {
    const load = this.#load();
    return { ...load, runnableThreads: this.#starvation.look(load, this.#isDraining) };
  }

  #load(): LoadFigures {
    const nowNs = this.#parts.base.now();
    this.#warmup?.sample(false);
    const { count, oldestNs } = this.#sampler.inFlight(nowNs);
    const before = this.#warmup?.inFlight(nowNs) ?? { count: 0, oldestNs: 0 };
    return {
      operations: this.#sampler.ended + (this.#warmup?.ended ?? 0),
      inFlight: count + before.count,
      oldestInFlightNs: Math.round(Math.max(oldestNs, before.oldestNs)),
    };
  }

  #timers(): readonly Cancel[] {
    const { clock, base } = this.#parts;
    const sinceStartMs = (base.now() - this.#atNs) / 1e6;
    this.#lookAfter(Math.max(0, firstLookMs - sinceStartMs));
    const look = (): void => {
      this.#cancelLook();
    };
    const { durationMs, warmupMs } = this.#stage;
    if (durationMs === undefined) return [look];
    const drain = clock.after(Math.max(0, warmupMs + durationMs - sinceStartMs), () => {
      if (!this.#parts.signal.aborted) this.#drain();
    });
    return [look, drain];
  }

  /** In open loop the first operation may be due long after T0, and in a warm-up no interval looks for it. */
  #lookAfter(ms: number): void {
    this.#cancelLook = this.#parts.clock.after(ms, () => {
      this.#lookForStart();
      if (!this.#isStarted) this.#lookAfter(lookEveryMs);
    });
  }

  #lookForStart(): void {
    const by = this.#warmup?.first() === undefined ? this.#sampler : this.#warmup;
    const first = by.first();
    if (this.#isStarted || first === undefined) return;
    this.#isStarted = true;
    const { base, emit } = this.#parts;
    emit({
      kind: 'started',
      stage: this.#stage.index,
      epoch: this.#epoch,
      firstOperationNs: base.toAbsolute(first),
      // In open loop an agent's first operation may be due long after T0, and is not late then.
      atNs: base.toAbsolute(Math.max(this.#atNs, by.firstDue())),
    });
  }

  /** No more is issued; what is in flight is awaited. */
  #fail(reason: string): void {
    if (this.#failure !== undefined || this.#parts.signal.aborted) return;
    this.#failure = reason;
    this.#parts.control.stop();
    this.#drain();
  }

  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#noteEnd();
    this.#lookForStart();
    this.#reports.flush();
    this.#parts.emit({ kind: 'draining', stage: this.#stage.index });
  }

  #noteEnd(): void {
    this.#endedNs ??= this.#parts.base.now();
  }

  #mechanism(): string {
    const engine = this.#workers.mechanism(this.#sampler.ended + (this.#warmup?.ended ?? 0));
    return this.#dropped === undefined ? engine : `${engine}; ${this.#dropped.words}`;
  }

  #result(endedBy: EndedBy): StageResult {
    const endedNs = (this.#endedNs ??= this.#parts.base.now());
    this.#lookForStart();
    this.#intervals.finish(endedBy === 'aborted');
    this.#reports.flush();
    const { base } = this.#parts;
    const first = this.#sampler.first();
    this.#warmup?.sample(true);
    return {
      stage: this.#stage.index,
      endedBy,
      atNs: base.toAbsolute(this.#measuredNs),
      firstOperationNs: first === undefined ? 0n : base.toAbsolute(first),
      lastOperationNs: first === undefined ? 0n : base.toAbsolute(this.#sampler.last()),
      intervals: this.#intervals.count,
      abandoned: this.#load().inFlight,
      operations: this.#sampler.totals(),
      warmup: this.#warmup?.totals() ?? [],
      mechanism: this.#mechanism(),
      warnings: [...(this.#dropped?.warnings ?? []), ...this.#workers.warnings],
      endedNs: base.toAbsolute(endedNs),
      // The write that a sync follows has its time.
      syncs: new Uint8Array(),
    };
  }
}

/** Workers may end for different reasons; the one that says most about the stage is named. */
function mainReason(reasons: readonly EndedBy[]): EndedBy {
  const order: readonly EndedBy[] = [
    'error',
    'aborted',
    'duration',
    'bytes',
    'operations',
    'exhausted',
  ];
  return order.find((reason) => reasons.includes(reason)) ?? 'operations';
}
