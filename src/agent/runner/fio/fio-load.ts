import type { Cancel } from '../../../shared/kernel/clock.js';
import type { StageAssignment } from '../../../shared/model/assignment.js';
import type { EndedBy, StageResult } from '../../../shared/model/messages.js';
import { engineOf, timesSyncs } from '../../../shared/model/fio-options.js';
import { CpuUsage } from '../cpu-usage.js';
import { errorRateProblem } from '../error-rules.js';
import { RunnerFailure } from '../failure.js';
import type { LoadFigures } from '../protocol.js';
import type { RunnerParts } from '../runner-parts.js';
import type { StageEnd } from '../stage-load.js';
import type { Churn } from '../stage-workers.js';
import type { FioCounts } from './fio-counts.js';
import type { FioEnd, FioRun } from './fio-process.js';

const second = 1e9;

export interface FioStage {
  readonly parts: RunnerParts;
  readonly stage: StageAssignment;
  readonly process: FioRun;
  readonly counts: FioCounts;
  readonly mechanism: string;
  readonly warnings: ReadonlySet<string>;
  /** Called when `counts` has been given newer numbers. */
  onStatus: () => void;
}

/** The load of one stage that fio makes, from T0 on: cut into intervals, ended by fio or by an abort. */
export class FioLoad {
  readonly #fio: FioStage;
  /** Passed on to the next stage. */
  readonly #churn: Churn;
  readonly #atNs: number;
  readonly #firstNs: number;
  readonly #cpu: CpuUsage;
  #cancelAsk: Cancel = () => undefined;
  /** fio has been asked for its counters, and has not answered. */
  #isAsked = false;
  /** Number of the next interval to report. */
  #next = 0;
  #isDraining = false;
  /** Why the agent fails. */
  #failure: string | undefined;

  constructor(
    fio: FioStage,
    churn: Churn,
    start: { readonly epoch: number; readonly atNs: number },
  ) {
    this.#fio = fio;
    this.#churn = churn;
    this.#atNs = start.atNs;
    const { parts, stage, process } = fio;
    this.#cpu = new CpuUsage(parts.base);
    const { base, emit } = parts;
    process.letGo();
    this.#firstNs = base.now();
    emit({
      kind: 'started',
      stage: stage.index,
      epoch: start.epoch,
      firstOperationNs: base.toAbsolute(this.#firstNs),
      atNs: base.toAbsolute(start.atNs),
    });
    fio.onStatus = () => {
      this.#answered();
    };
    this.#askLater();
  }

  /** For the report once a second. */
  figures(): LoadFigures {
    const { counts } = this.#fio;
    return { operations: counts.ended, inFlight: counts.inFlight, oldestInFlightNs: 0 };
  }

  /** Until fio has ended, by itself or by an abort. @throws RunnerFailure when it failed */
  async complete(): Promise<StageEnd> {
    const { parts, process, stage } = this.#fio;
    const { signal, clock, base } = parts;
    let cancelDrain: Cancel = () => undefined;
    if (stage.durationMs !== undefined) {
      const leftMs = stage.durationMs - (base.now() - this.#atNs) / 1e6;
      cancelDrain = clock.after(Math.max(0, leftMs), () => {
        this.#drain();
      });
    }
    try {
      const end = await process.ended;
      if (!signal.aborted) this.#checkEnd(end);
      const result = this.#result();
      if (signal.aborted) return { result, churn: undefined };
      const failure =
        this.#failure ?? this.#cutShort(end) ?? errorRateProblem(stage, this.#fio.counts, true);
      if (failure === undefined) return { result, churn: this.#churn };
      return { result: { ...result, endedBy: 'error' }, churn: this.#churn, failure };
    } finally {
      this.#cancelAsk();
      cancelDrain();
    }
  }

  /** @throws RunnerFailure when it has done nothing, or crashed */
  #checkEnd({ code, signal }: FioEnd): void {
    const { stage, counts } = this.#fio;
    // With continue_on_error it is the number of threads in which operations failed: those are counted.
    if (code === 0 || (code !== null && counts.ended > 0)) return;
    const how = signal === null ? `code ${String(code)}` : signal;
    throw new RunnerFailure('internal', `stage "${stage.name}": fio ended with ${how}${this.#why}`);
  }

  /** An error that is not one of an operation ends a thread of fio: what was left to it was not done. */
  #cutShort({ code }: FioEnd): string | undefined {
    const { parts, stage, counts } = this.#fio;
    const { durationMs = Infinity, maxOperations = Infinity, maxBytes } = stage;
    const lastedMs = (parts.base.now() - this.#firstNs) / 1e6;
    const isDone = lastedMs >= durationMs || counts.ended - counts.failed >= maxOperations;
    // In bytes it is not known exactly how much is left.
    if (code === 0 || isDone || maxBytes !== undefined) return undefined;
    const lasted = (lastedMs / 1e3).toFixed(1);
    return `stage "${stage.name}": fio ended after ${lasted} s, before a limit was reached${this.#why}`;
  }

  /** The last thing that fio has said. */
  get #why(): string {
    const line = [...this.#fio.warnings].at(-1);
    return line === undefined ? '' : `: ${line}`;
  }

  #result(): StageResult {
    const { parts, stage, counts, mechanism, warnings } = this.#fio;
    const { base, signal } = parts;
    if (!signal.aborted) this.#drain();
    const lastNs = this.#firstNs + counts.runtimeNs;
    const last = Math.max(this.#next, Math.floor((lastNs - this.#atNs - 1) / second));
    if (signal.aborted || counts.ended > 0) this.#report(last);
    return {
      stage: stage.index,
      endedBy: signal.aborted ? 'aborted' : this.#endedBy(lastNs),
      atNs: base.toAbsolute(this.#atNs),
      firstOperationNs: base.toAbsolute(this.#firstNs),
      lastOperationNs: base.toAbsolute(lastNs),
      intervals: this.#next,
      abandoned: signal.aborted ? counts.inFlight : 0,
      operations: counts.totals(),
      syncs: timesSyncs(engineOf(stage.fio), stage.fsync) ? counts.syncs() : new Uint8Array(),
      warmup: [],
      mechanism,
      warnings: [...warnings],
      endedNs: base.toAbsolute(lastNs),
    };
  }

  #endedBy(lastNs: number): EndedBy {
    const { durationMs, maxOperations, maxBytes } = this.#fio.stage;
    // fio says its runtime in whole milliseconds, and none when all has failed.
    const isOver = durationMs !== undefined && lastNs - this.#firstNs >= (durationMs - 1) * 1e6;
    if (isOver || (maxOperations ?? maxBytes) === undefined) return 'duration';
    return maxBytes === undefined ? 'operations' : 'bytes';
  }

  #drain(): void {
    if (this.#isDraining || this.#fio.parts.signal.aborted) return;
    this.#isDraining = true;
    this.#fio.parts.emit({ kind: 'draining', stage: this.#fio.stage.index });
  }

  #askLater(): void {
    const { clock, base } = this.#fio.parts;
    const over = Math.floor((base.now() - this.#atNs) / second);
    const dueNs = this.#atNs + Math.max(this.#next + 1, over + 1) * second;
    this.#cancelAsk = clock.after(Math.max(0, (dueNs - base.now()) / 1e6), () => {
      this.#isAsked = true;
      this.#fio.process.askStatus();
    });
  }

  /**
   * fio answers when each of its threads has come back from its operation. Its counters are of then: seconds that were over
   * meanwhile are reported as one.
   */
  #answered(): void {
    if (!this.#isAsked) return;
    this.#isAsked = false;
    const over = Math.floor((this.#fio.parts.base.now() - this.#atNs) / second);
    this.#report(Math.max(this.#next, over - 1));
    this.#failure ??= errorRateProblem(this.#fio.stage, this.#fio.counts, false);
    if (this.#failure !== undefined) this.#fio.process.stop();
    this.#askLater();
  }

  #report(last: number): void {
    const { parts, stage, counts } = this.#fio;
    const { base, emit } = parts;
    const first = this.#next;
    this.#next = last + 1;
    emit({
      kind: 'interval',
      stage: stage.index,
      first,
      last,
      operations: counts.sample(),
      inFlight: counts.inFlight,
      oldestInFlightNs: 0,
      sampledLateNs: Math.max(0, Math.round(base.now() - (this.#atNs + (last + 1) * second))),
      ...this.#cpu.look(),
      runnerLoopDelayNs: 0,
      busiestThreadCpu: 0,
      lateWakeUps: 0,
      runnerGcNs: 0,
      controlLoopDelayNs: 0,
      controlGcNs: 0,
    });
  }
}
