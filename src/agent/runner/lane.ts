import type { EndedBy } from '../../shared/model/messages.js';
import type { BlockingEngine } from '../engines/engine.js';
import { blankOperation } from './allowance.js';
import type { Allowance } from './allowance.js';
import type { ClockBase } from './clock-base.js';
import { hrtime } from './clock-base.js';
import { errorCodes, errorSlotOf, shortSlot, timeoutSlot, verifySlot } from './error-codes.js';
import type { ErrorRules } from './error-rules.js';
import { firstStart, lastEnd } from './lane-memory.js';
import type { LaneMemory } from './lane-memory.js';
import type { OperationStream } from './choosing/operation-stream.js';
import { Recorder } from './recorder.js';
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
  /** The error that ended it (error_policy: stop). */
  stoppedBy = '';
  readonly #engine: BlockingEngine;
  readonly #stream: OperationStream;
  readonly #allowance: Allowance;
  readonly #cells: Float64Array;
  readonly #starts: Float64Array;
  readonly #recorder: Recorder;
  readonly #buffer: Uint8Array;
  readonly #clock: ClockBase;
  readonly #baseSeconds: number;
  readonly #rules: ErrorRules;
  readonly #verifier: Verifier | undefined;
  #startNs = 0;

  constructor(parts: LaneParts) {
    this.#engine = parts.engine;
    this.#stream = parts.stream;
    this.#allowance = parts.allowance;
    this.#cells = parts.memory.cells;
    this.#starts = parts.memory.starts;
    this.#recorder = new Recorder(parts.memory);
    this.#buffer = parts.buffer;
    this.#clock = parts.clock;
    this.#baseSeconds = parts.clock.seconds;
    this.#rules = parts.rules;
    this.#verifier = parts.verifier;
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
    const stream = this.#stream;
    const allowance = this.#allowance;
    const starts = this.#starts;
    const recorder = this.#recorder;
    const buffer = this.#buffer;
    const baseSeconds = this.#baseSeconds;
    const { churns, varies } = stream;
    const { timeoutNs, stopOn } = this.#rules;
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
      if (churns) stream.settle(operation, code < 0);
      if (verifier !== undefined) {
        starts[0] = 0;
        if (!verifier.after(operation, buffer, code < 0)) code = verifySlot;
      }
      if (code < 0 && endNs - startNs > timeoutNs) code = timeoutSlot;
      if (code < 0) {
        recorder.done(slot, endNs - startNs);
        if (varies) recorder.moved(slot, operation.bytes);
      } else {
        recorder.failed(slot, code, endNs - startNs);
        if (stopOn[slot] !== 0) return this.#end(endNs, this.#stopped(code));
      }
      startNs = verifier === undefined ? endNs : this.#clock.now();
    }
    this.#startNs = startNs;
    return undefined;
  }

  #stopped(code: number): EndedBy {
    this.stoppedBy = `${this.operation.kind} failed with ${errorCodes[code] ?? ''}`;
    return 'error';
  }

  #end(startNs: number, by: EndedBy = this.#allowance.endedBy): EndedBy {
    this.#startNs = startNs;
    this.#cells[lastEnd] = startNs;
    this.#starts[0] = 0;
    return by;
  }
}
