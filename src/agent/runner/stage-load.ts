import type { Cancel } from '../../shared/kernel/clock.js';
import type { Assignment, StageAssignment } from '../../shared/model/assignment.js';
import type { EndedBy, StageResult } from '../../shared/model/messages.js';
import { Aborted } from './failure.js';
import { IntervalClock } from './interval-clock.js';
import { bytesOf } from './choosing/bytes-of.js';
import type { RunnerParts } from './runner-parts.js';
import { Sampler } from './sampler.js';
import type { Churn, StageWorkers } from './stage-workers.js';

/** How long after T0 the runner looks whether the first operation has begun; later looks come with the intervals. */
const firstLookMs = 10;

export interface StageEnd {
  readonly result: StageResult;
  /** undefined: not all workers came back. */
  readonly churn: Churn | undefined;
}

/** The load of one stage from T0 on: watched, cut into intervals, ended by its limits or by an abort. */
export class StageLoad {
  readonly #parts: RunnerParts;
  readonly #stage: StageAssignment;
  readonly #workers: StageWorkers;
  readonly #sampler: Sampler;
  readonly #intervals: IntervalClock;
  readonly #atNs: number;
  readonly #epoch: number;
  #isStarted = false;
  #isDraining = false;

  constructor(
    parts: RunnerParts,
    assignment: Assignment,
    stage: StageAssignment,
    workers: StageWorkers,
    start: { readonly epoch: number; readonly atNs: number },
  ) {
    this.#parts = parts;
    this.#stage = stage;
    this.#workers = workers;
    this.#atNs = start.atNs;
    this.#epoch = start.epoch;
    const kinds = stage.mix.map(({ operation }) => operation);
    const sizes = { ...stage, ...assignment.dataset };
    this.#sampler = new Sampler(
      workers.memories,
      kinds,
      kinds.map((kind) => bytesOf(kind, sizes)),
    );
    this.#intervals = new IntervalClock({
      stage: stage.index,
      atNs: start.atNs,
      sampler: this.#sampler,
      clock: parts.clock,
      base: parts.base,
      emit: (interval) => {
        this.#lookForStart();
        parts.emit({ kind: 'interval', ...interval });
      },
    });
  }

  /**
   * Until all workers have come to their limits or, after an abort, have stopped or had their time to.
   * @throws RunnerFailure when one failed otherwise
   */
  async complete(): Promise<StageEnd> {
    const cancels = this.#timers();
    const { done } = this.#workers;
    try {
      const { endedBy, churn } = await done;
      if (this.#parts.signal.aborted) return { result: this.#result('aborted'), churn: undefined };
      this.#drain();
      return { result: this.#result(mainReason(endedBy)), churn };
    } catch (error) {
      if (!(error instanceof Aborted)) throw error;
      return { result: this.#result('aborted'), churn: undefined };
    } finally {
      for (const cancel of cancels) cancel();
    }
  }

  /** For the report once a second. */
  get figures(): { operations: number; inFlight: number; oldestInFlightNs: number } {
    const { count, oldestNs } = this.#sampler.inFlight(this.#parts.base.now());
    return {
      operations: this.#sampler.ended,
      inFlight: count,
      oldestInFlightNs: Math.round(oldestNs),
    };
  }

  #timers(): readonly Cancel[] {
    const { clock, base } = this.#parts;
    const sinceStartMs = (base.now() - this.#atNs) / 1e6;
    const look = clock.after(Math.max(0, firstLookMs - sinceStartMs), () => {
      this.#lookForStart();
    });
    const { durationMs } = this.#stage;
    if (durationMs === undefined) return [look];
    const drain = clock.after(Math.max(0, durationMs - sinceStartMs), () => {
      if (!this.#parts.signal.aborted) this.#drain();
    });
    return [look, drain];
  }

  #lookForStart(): void {
    const first = this.#sampler.first();
    if (this.#isStarted || first === undefined) return;
    this.#isStarted = true;
    const { base, emit } = this.#parts;
    emit({
      kind: 'started',
      stage: this.#stage.index,
      epoch: this.#epoch,
      firstOperationNs: base.toAbsolute(first),
      atNs: base.toAbsolute(this.#atNs),
    });
  }

  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#lookForStart();
    this.#parts.emit({ kind: 'draining', stage: this.#stage.index });
  }

  #result(endedBy: EndedBy): StageResult {
    this.#lookForStart();
    this.#intervals.finish(endedBy === 'aborted');
    const { base } = this.#parts;
    const first = this.#sampler.first();
    return {
      stage: this.#stage.index,
      endedBy,
      atNs: base.toAbsolute(this.#atNs),
      firstOperationNs: first === undefined ? 0n : base.toAbsolute(first),
      lastOperationNs: first === undefined ? 0n : base.toAbsolute(this.#sampler.last()),
      intervals: this.#intervals.count,
      abandoned: this.#sampler.inFlight(base.now()).count,
      operations: this.#sampler.totals(),
      mechanism: this.#workers.mechanism,
      warnings: [...this.#workers.warnings],
    };
  }
}

/** Workers may end for different reasons; the one that says most about the stage is named. */
function mainReason(reasons: readonly EndedBy[]): EndedBy {
  const order: readonly EndedBy[] = ['aborted', 'duration', 'bytes', 'operations', 'exhausted'];
  return order.find((reason) => reasons.includes(reason)) ?? 'operations';
}
