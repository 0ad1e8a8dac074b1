import type { EndedBy } from '../../../shared/model/messages.js';
import type { BlockingEngine } from '../../engines/engine.js';
import { blankOperation } from '../allowance.js';
import type { Allowance } from '../allowance.js';
import { hrtime } from '../clock-base.js';
import type { ClockBase } from '../clock-base.js';
import { errorSlotOf, shortSlot } from '../error-codes.js';
import type { ErrorRules } from '../error-rules.js';
import { firstDue, firstStart, lastEnd } from '../lane-memory.js';
import type { LaneMemory } from '../lane-memory.js';
import { Ledger } from '../ledger.js';
import type { OperationStream } from '../choosing/operation-stream.js';
import type { Verifier } from '../verify/verifier.js';
import type { Pace } from './pace.js';
import type { Waiter } from './waiter.js';

export interface PacedLaneParts {
  readonly engine: BlockingEngine;
  readonly stream: OperationStream;
  readonly allowance: Allowance;
  readonly memory: LaneMemory;
  readonly buffer: Uint8Array;
  readonly clock: ClockBase;
  readonly rules: ErrorRules;
  /** Outside of the time that is measured. */
  readonly verifier?: Verifier | undefined;
  readonly pace: Pace;
  readonly waiter: Waiter;
  /** When the part of the stage before this one let go of the thread; -Infinity without one. */
  readonly freeNs: number;
}

/** As in lane.ts. */
const batchSize = 64;

/**
 * One sequence of operations, one at a time, each issued when its pace says so; one that is due while the lane is busy
 * is issued as soon as it is free, and its response time counts from when it was due. An operation is chosen before the
 * wait for its instant, so that choosing does not delay it.
 */
export class PacedLane {
  readonly operation = blankOperation();
  readonly #engine: BlockingEngine;
  readonly #allowance: Allowance;
  readonly #memory: LaneMemory;
  readonly #ledger: Ledger;
  readonly #buffer: Uint8Array;
  readonly #baseSeconds: number = 0;
  readonly #clock: ClockBase;
  readonly #verifier: Verifier | undefined;
  readonly #pace: Pace;
  readonly #waiter: Waiter;
  /** End of the operation before. */
  #freeNs = -Infinity;
  #hasBegun = false;

  constructor(parts: PacedLaneParts) {
    this.#engine = parts.engine;
    this.#allowance = parts.allowance;
    this.#memory = parts.memory;
    this.#ledger = new Ledger(parts.memory, parts.stream, parts.rules);
    this.#buffer = parts.buffer;
    this.#baseSeconds = parts.clock.seconds;
    this.#clock = parts.clock;
    this.#verifier = parts.verifier;
    this.#pace = parts.pace;
    this.#waiter = parts.waiter;
    this.#freeNs = parts.freeNs;
  }

  /** The error that ended it (error_policy: stop). */
  get stoppedBy(): string {
    return this.#ledger.stoppedBy;
  }

  /** Up to 64 operations; says why when there are to be no more. */
  batch(): EndedBy | undefined {
    const { operation } = this;
    const engine = this.#engine;
    const allowance = this.#allowance;
    const { starts, missed, cells, shape } = this.#memory;
    const ledger = this.#ledger;
    const { recorder } = ledger;
    const buffer = this.#buffer;
    const baseSeconds = this.#baseSeconds;
    const pace = this.#pace;
    const waiter = this.#waiter;
    const { openLoop } = shape;
    const verifier = this.#verifier;
    let freeNs = this.#freeNs;
    for (let i = 0; i < batchSize; i++) {
      const { dueNs } = pace;
      const slot = allowance.next(operation, dueNs > freeNs ? dueNs : freeNs);
      if (slot < 0) return this.#end(freeNs);
      pace.taken(operation.bytes);
      let startNs = freeNs;
      // Before the wait: an operation that is due in time is not late because of it.
      if (verifier !== undefined) startNs = verifier.before(operation, buffer);
      if (dueNs > startNs) {
        startNs = waiter.until(dueNs);
        // Stopped while it waited: this operation is not issued any more.
        if (startNs < dueNs) return this.#end(freeNs, 'aborted');
      } else if (openLoop) missed[slot]!++;
      if (!this.#hasBegun) {
        this.#hasBegun = true;
        cells[firstStart] = startNs;
        cells[firstDue] = openLoop ? dueNs : 0;
      }
      starts[0] = startNs;
      let code = -1;
      try {
        if (engine.perform(operation, buffer) !== operation.bytes) code = shortSlot;
      } catch (error) {
        code = errorSlotOf(error);
      }
      const time = hrtime();
      freeNs = (time[0] - baseSeconds) * 1e9 + time[1];
      starts[0] = 0;
      const tookNs = freeNs - startNs;
      code = ledger.judge(operation, buffer, code, tookNs, verifier);
      if (code < 0) {
        ledger.done(operation, slot, tookNs);

        if (openLoop) recorder.response(slot, freeNs - dueNs);
      } else if (ledger.failed(operation.kind, slot, code, tookNs)) {
        return this.#end(freeNs, 'error');
      }
      pace.ended(freeNs);
      if (verifier !== undefined) freeNs = this.#clock.now();
      this.#freeNs = freeNs;
    }
    return undefined;
  }

  #end(freeNs: number, by: EndedBy = this.#allowance.endedBy): EndedBy {
    this.#memory.cells[lastEnd] = this.#hasBegun ? freeNs : 0;
    this.#memory.starts[0] = 0;
    return by;
  }
}
