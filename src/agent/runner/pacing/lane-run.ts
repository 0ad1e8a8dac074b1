import type { EndedBy } from '../../../shared/model/messages.js';
import type { ConcurrentEngine, Engine, WriteContent } from '../../engines/engine.js';
import { Allowance } from '../allowance.js';
import type { Budget } from '../allowance.js';
import type { ClockBase } from '../clock-base.js';
import type { BlockBatch } from '../batch/block-batch.js';
import { firstOf, blockBatchFor, runClosedLoop } from '../closed-loop.js';
import type { ClosedLoopParts } from '../closed-loop.js';
import { ConcurrentLane } from '../concurrent-lane.js';
import type { LanePart, Pacing } from '../concurrent-lane.js';
import { errorRulesOf } from '../error-rules.js';
import type { ErrorRules } from '../error-rules.js';
import type { StageJob } from '../jobs.js';
import type { LaneMemory } from '../lane-memory.js';
import { meanBytesOf } from '../choosing/bytes-of.js';
import type { OperationStream } from '../choosing/operation-stream.js';
import type { RunControl } from '../shared-memory.js';
import { Alarm } from './alarm.js';
import { AlarmBoard } from './alarm-board.js';
import { ScheduledPace, ThinkTime } from './pace.js';
import type { Pace } from './pace.js';
import { PacedLane } from './paced-lane.js';
import type { Verifier } from '../verify/verifier.js';
import { lanePhase, laneShare } from './phase.js';
import { Schedule } from './schedule.js';
import { Waiter } from './waiter.js';

const unlimited = { operations: Infinity, bytes: Infinity };

export interface LaneRunParts {
  readonly job: StageJob;
  readonly engine: Engine;
  readonly stream: OperationStream;
  readonly control: RunControl;
  readonly memory: LaneMemory;
  /** The operations of the warm-up are counted apart. */
  readonly warmupMemory: LaneMemory;
  /** One for every operation that may be in flight. */
  readonly buffers: readonly Uint8Array[];
  readonly clock: ClockBase;
  /** One for every operation that may be in flight; none when nothing is verified. */
  readonly verifiers?: readonly Verifier[] | undefined;
  /** As `isBatched` has it. */
  readonly batched: boolean;
  /** What the engine writes. */
  readonly content: WriteContent;
  /** Without its deadline. */
  readonly budget: Budget;
}

/** One part of a stage: its warm-up or what is measured. */
interface Part {
  readonly memory: LaneMemory;
  readonly budget: Budget;
  /** When the schedule begins, and where a rate's course does, ns after the clock base. */
  readonly fromNs: number;
  readonly originNs: number;
  readonly isLast: boolean;
}

type Begin = ClosedLoopParts['begin'];
type PacedPart = LanePart & { readonly pacing: Pacing };

/**
 * A lane's load of one stage, set up before T0 and carried out from then on: the warm-up, then the measured part with its
 * limits.
 */
export class LaneRun {
  /** The error that ended the load (error_policy: stop); empty without one. */
  stoppedBy = '';
  readonly #parts: LaneRunParts;
  readonly #rules: ErrorRules;
  readonly #alarm: Alarm;
  readonly #batch: BlockBatch | undefined;
  /** Of an engine that has several operations in flight: they may go on when the next part begins. */
  #lane: ConcurrentLane | undefined;
  /** When one of an engine that has not was over: its last operation may have held up the next part. */
  #freeNs = -Infinity;
  /** Whether the load may begin, whose instant has come. */
  #beginAt = (): boolean => true;

  constructor(parts: LaneRunParts) {
    const { job, control } = parts;
    const { alarms, lane, lanes, spin } = job;
    const board = alarms && new AlarmBoard(lanes, alarms);
    this.#alarm = new Alarm(control, board, lane, spin);
    this.#parts = parts;
    if (parts.batched) {
      const context = { files: job.dataset.use, content: parts.content };
      this.#batch = blockBatchFor(parts.engine, context, parts);
    }
    this.#rules = errorRulesOf(parts.job.stage, parts.job.operationMs);
  }

  /**
   * @param atNs T0, ns after the clock base
   * @param begin called at T0; false: this start was replaced by another while the lane was set up for it
   * @returns undefined when it was, and nothing has been issued
   */
  async run(atNs: number, begin = this.#beginAt): Promise<EndedBy | undefined> {
    this.#beginAt = begin;
    const endedBy = await this.#load(atNs);
    return endedBy === 'aborted' && !this.#parts.control.isStopped ? undefined : endedBy;
  }

  async #load(atNs: number): Promise<EndedBy> {
    const { job, memory, warmupMemory, budget } = this.#parts;
    const { durationMs, warmupMs } = job.stage;
    const originNs = atNs + warmupMs * 1e6;
    if (warmupMs > 0) {
      const warmUp = { deadlineNs: originNs, ...unlimited };
      const endedBy = await this.#carryOut({
        memory: warmupMemory,
        budget: warmUp,
        fromNs: atNs,
        originNs,
        isLast: false,
      });
      if (endedBy === 'aborted' || endedBy === 'error') return endedBy;
    }
    budget.deadlineNs = durationMs === undefined ? Infinity : originNs + durationMs * 1e6;
    return this.#carryOut({ memory, budget, fromNs: originNs, originNs, isLast: true });
  }

  async #carryOut(part: Part): Promise<EndedBy> {
    const { stream, control, clock, job } = this.#parts;
    const { memory, budget, fromNs, isLast } = part;
    const nextNs = budget.deadlineNs;
    const pace = this.#paceOf(part);
    const allowance = new Allowance(stream, budget, control.flags);
    const waiter = new Waiter(clock, control.flags, memory.cells, job.spin);
    const begin = (): number | undefined => {
      const nowNs = waiter.until(fromNs);
      return nowNs < fromNs || !this.#beginAt() ? undefined : nowNs;
    };
    if (pace === undefined) {
      return this.#unpaced({ memory, allowance, pacing: undefined, isLast, nextNs }, begin);
    }
    const pacing = { pace, waiter, alarm: this.#alarm };
    const endedBy = await this.#paced({ memory, allowance, pacing, isLast, nextNs }, begin);
    // The stage is not over before its time, whether or not an operation is still due in it.
    if (endedBy === 'duration' && isLast) waiter.until(budget.deadlineNs);
    if (endedBy === 'duration' || (endedBy === 'aborted' && control.isStopped)) {
      this.#leave(memory, pace.dueUntil(Math.min(budget.deadlineNs, clock.now())));
    }
    return endedBy;
  }

  async #unpaced(part: LanePart, begin: Begin): Promise<EndedBy> {
    const { engine, stream, buffers, clock, verifiers = [] } = this.#parts;
    if (engine.kind === 'concurrent') return this.#concurrently(engine, part, begin);
    const batch = this.#batch;
    const parts = { engine, stream, buffers, clock, rules: this.#rules, verifiers, begin, batch };
    const { endedBy, stoppedBy } = await runClosedLoop({ ...parts, ...part });
    this.stoppedBy = stoppedBy;
    return endedBy;
  }

  async #paced(part: PacedPart, begin: Begin): Promise<EndedBy> {
    const { engine, stream, buffers, clock, verifiers = [] } = this.#parts;
    if (engine.kind === 'concurrent') return this.#concurrently(engine, part, begin);
    const buffer = firstOf(buffers);
    const [verifier] = verifiers;
    const freeNs = this.#freeNs;
    const parts = { engine, stream, buffer, clock, rules: this.#rules, verifier, freeNs };
    const lane = new PacedLane({ ...parts, ...part, ...part.pacing });
    if (begin() === undefined) return 'aborted';
    let endedBy: EndedBy | undefined;
    do endedBy = lane.batch();
    while (endedBy === undefined);
    this.#freeNs = clock.now();
    this.stoppedBy = lane.stoppedBy;
    return endedBy;
  }

  async #concurrently(engine: ConcurrentEngine, part: LanePart, begin: Begin): Promise<EndedBy> {
    const { verifiers = [] } = this.#parts;
    const parts = { ...this.#parts, engine, rules: this.#rules, verifiers };
    this.#lane ??= new ConcurrentLane(parts, part);
    if (begin() === undefined) return 'aborted';
    const endedBy = await this.#lane.run(part);
    this.stoppedBy = this.#lane.stoppedBy;
    return endedBy;
  }

  #paceOf({ fromNs, originNs }: Part): Pace | undefined {
    const { job, control } = this.#parts;
    const { stage, dataset, lane, lanes, seed, agentIndex } = job;
    if (stage.rate === undefined) {
      if (stage.thinkTimeNs === 0) return undefined;
      const places = this.#parts.buffers.length;
      return new ThinkTime(fromNs, stage.thinkTimeNs, places, this.#lane?.freePlaces);
    }
    const { share } = control;
    const part = { index: share[0] ?? 0, count: share[1] ?? 1 };
    const schedule = new Schedule({
      rate: stage.rate,
      arrival: stage.arrival,
      durationNs: stage.durationMs === undefined ? Infinity : stage.durationMs * 1e6,
      warmupNs: originNs - fromNs,
      phase: lanePhase(part, lane, lanes),
      share: laneShare(part, lanes),
      meanBytes: meanBytesOf(stage.mix, { ...stage, ...dataset }),
      keys: [seed, stage.index, agentIndex, lane, originNs > fromNs ? 1 : 0],
    });
    return new ScheduledPace(schedule, originNs, share, lanes);
  }

  /** What was due and is not issued any more, by the weights of the mix: it was not drawn which it would have been. */
  #leave(memory: LaneMemory, operations: number): void {
    if (!memory.shape.openLoop) return;
    let left = operations;
    for (const [slot, { weight }] of this.#parts.job.stage.mix.entries()) {
      const isLast = slot === memory.shape.kinds - 1;
      const part = isLast ? left : Math.min(left, Math.round((operations * weight) / this.#weight));
      memory.unissued[slot] = part;
      left -= part;
    }
  }

  get #weight(): number {
    return this.#parts.job.stage.mix.reduce((sum, { weight }) => sum + weight, 0);
  }
}
