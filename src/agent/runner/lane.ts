import type { EndedBy } from '../../shared/model/messages.js';
import type { BlockingEngine } from '../engines/engine.js';
import { blankOperation } from './allowance.js';
import type { Allowance } from './allowance.js';
import type { ClockBase } from './clock-base.js';
import { hrtime } from './clock-base.js';
import { errorSlotOf, shortSlot } from './error-codes.js';
import type { ErrorRules } from './error-rules.js';
import { firstStart, lastEnd } from './lane-memory.js';
import type { LaneMemory } from './lane-memory.js';
import { Ledger } from './ledger.js';
import type { OperationStream } from './choosing/operation-stream.js';
import type { Verifier } from './verify/verifier.js';

export interface LaneParts {
  readonly engine: BlockingEngine;
  readonly stream: OperationStream;
  readonly allowance: Allowance;
  readonly memory: LaneMemory;
  readonly buffer: Uint8Array;
  readonly clock: ClockBase;
  readonly rules: ErrorRules;
  /** Outside of the time that is measured. */
  readonly verifier?: Verifier | undefined;
}

/**
 * Operations per call. One endless loop would only be compiled by on-stack replacement and start in the interpreter
 * again the next time; a short batch is compiled once and for all while warming up.
 */
const batchSize = 64;

/**
 * One sequence of operations, one at a time (closed loop). The clock is read once per operation: the end of one is the
 * start of the next, so the ~15 ns of choosing and recording are part of the service time.
 */
export class Lane {
  readonly operation = blankOperation();
  readonly #engine: BlockingEngine;
  readonly #allowance: Allowance;
  readonly #cells: Float64Array;
  readonly #starts: Float64Array;
  readonly #ledger: Ledger;
  readonly #buffer: Uint8Array;
  readonly #clock: ClockBase;
  readonly #baseSeconds: number = 0;
  readonly #verifier: Verifier | undefined;
  #startNs = 0;

  constructor(parts: LaneParts) {
    this.#engine = parts.engine;
    this.#allowance = parts.allowance;
    this.#cells = parts.memory.cells;
    this.#starts = parts.memory.starts;
    this.#ledger = new Ledger(parts.memory, parts.stream, parts.rules);
    this.#buffer = parts.buffer;
    this.#clock = parts.clock;
    this.#baseSeconds = parts.clock.seconds;
    this.#verifier = parts.verifier;
  }

  /** The error that ended it (error_policy: stop). */
  get stoppedBy(): string {
    return this.#ledger.stoppedBy;
  }

  /** The first operation begins at `nowNs`. */
  begin(nowNs: number): void {
    this.#startNs = nowNs;
    this.#cells[firstStart] = nowNs;
  }

  /** Up to 64 operations; says why when there are to be no more. */
  batch(): EndedBy | undefined {
    const { operation } = this;
    const engine = this.#engine;
    const allowance = this.#allowance;
    const starts = this.#starts;
    const ledger = this.#ledger;
    const buffer = this.#buffer;
    const baseSeconds = this.#baseSeconds;
    const verifier = this.#verifier;
    let startNs = this.#startNs;
    for (let i = 0; i < batchSize; i++) {
      const slot = allowance.next(operation, startNs);
      if (slot < 0) return this.#end(startNs);
      if (verifier !== undefined) startNs = verifier.before(operation, buffer);
      starts[0] = startNs;
      let code = -1;
      try {
        if (engine.perform(operation, buffer) !== operation.bytes) code = shortSlot;
      } catch (error) {
        code = errorSlotOf(error);
      }
      const time = hrtime();
      const endNs = (time[0] - baseSeconds) * 1e9 + time[1];
      if (verifier !== undefined) starts[0] = 0;
      const tookNs = endNs - startNs;
      code = ledger.judge(operation, buffer, code, tookNs, verifier);
      if (code < 0) ledger.done(operation, slot, tookNs);
      else if (ledger.failed(operation.kind, slot, code, tookNs)) return this.#end(endNs, 'error');
      startNs = verifier === undefined ? endNs : this.#clock.now();
    }
    this.#startNs = startNs;
    return undefined;
  }

  #end(startNs: number, by: EndedBy = this.#allowance.endedBy): EndedBy {
    this.#startNs = startNs;
    this.#cells[lastEnd] = startNs;
    this.#starts[0] = 0;
    return by;
  }
}
