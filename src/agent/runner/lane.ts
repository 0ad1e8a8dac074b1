import type { EndedBy } from '../../shared/model/messages.js';
import type { Engine, Operation } from '../engines/engine.js';
import type { ClockBase } from './clock-base.js';
import { errorSlotOf, shortSlot } from './error-codes.js';
import type { OperationStream } from './operation-stream.js';
import { Recorder } from './recorder.js';
import { hrtime } from './clock-base.js';
import { firstStart, lastEnd, opStart, stopFlag } from './shared-memory.js';
import type { LaneMemory } from './shared-memory.js';

/** What ends a lane: its shares of the stage's limits. Infinity where there is no limit. */
export interface Budget {
  /** ns after the clock base; nothing is issued at or after it. */
  deadlineNs: number;
  /** Operations to issue, whether they succeed or fail. */
  operations: number;
  /** Bytes to issue; an operation that does not fit is not issued. */
  bytes: number;
}

export interface LaneParts {
  readonly engine: Engine;
  readonly stream: OperationStream;
  readonly memory: LaneMemory;
  readonly budget: Budget;
  readonly buffer: Uint8Array;
  readonly clock: ClockBase;
  /** RunControl.flags. */
  readonly flags: Int32Array;
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
  readonly operation: Operation = {
    kind: 'stat',
    file: 0,
    offset: 0,
    bytes: 0,
    lane: 0,
    entry: 0,
  };
  readonly #engine: Engine;
  readonly #stream: OperationStream;
  readonly #cells: Float64Array;
  readonly #recorder: Recorder;
  readonly #budget: Budget;
  readonly #buffer: Uint8Array;
  readonly #baseSeconds: number;
  readonly #flags: Int32Array;
  #startNs = 0;

  constructor(parts: LaneParts) {
    this.#engine = parts.engine;
    this.#stream = parts.stream;
    this.#cells = parts.memory.cells;
    this.#recorder = new Recorder(parts.memory);
    this.#budget = parts.budget;
    this.#buffer = parts.buffer;
    this.#baseSeconds = parts.clock.seconds;
    this.#flags = parts.flags;
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
    const cells = this.#cells;
    const recorder = this.#recorder;
    const budget = this.#budget;
    const buffer = this.#buffer;
    const flags = this.#flags;
    const baseSeconds = this.#baseSeconds;
    const { churns } = stream;
    let startNs = this.#startNs;
    for (let i = 0; i < batchSize; i++) {
      // Not atomic: a builtin call per operation; a flag that is seen one batch late is seen soon enough.
      if (flags[stopFlag] !== 0) return this.#end('aborted', startNs);
      if (startNs >= budget.deadlineNs) return this.#end('duration', startNs);
      if (budget.operations === 0) return this.#end('operations', startNs);
      const slot = stream.next(operation);
      if (slot < 0) return this.#end('exhausted', startNs);
      if (budget.bytes < operation.bytes) return this.#end('bytes', startNs);
      budget.operations--;
      budget.bytes -= operation.bytes;
      cells[opStart] = startNs;
      let code = -1;
      try {
        if (engine.perform(operation, buffer) !== operation.bytes) code = shortSlot;
      } catch (error) {
        code = errorSlotOf(error);
      }
      const time = hrtime();
      const endNs = (time[0] - baseSeconds) * 1e9 + time[1];
      if (code < 0) recorder.done(slot, endNs - startNs);
      else recorder.failed(slot, code, endNs - startNs);
      if (churns) stream.settle(operation, code < 0);
      startNs = endNs;
    }
    this.#startNs = startNs;
    return undefined;
  }

  /** The stage's last act, after the last batch: what `fsync: end` asks for. Its errors count for `kind`'s slot. */
  finish(slot: number, clock: ClockBase): void {
    const startNs = clock.now();
    this.#cells[opStart] = startNs;
    try {
      this.#engine.finish();
    } catch (error) {
      this.#recorder.failed(slot, errorSlotOf(error), clock.now() - startNs);
    }
    this.#cells[lastEnd] = clock.now();
    this.#cells[opStart] = 0;
  }

  #end(by: EndedBy, startNs: number): EndedBy {
    this.#startNs = startNs;
    this.#cells[lastEnd] = startNs;
    this.#cells[opStart] = 0;
    return by;
  }
}
