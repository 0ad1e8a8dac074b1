import type { EndedBy } from '../../shared/model/messages.js';
import type { Completion, ConcurrentEngine, Operation } from '../engines/engine.js';
import { blankOperation } from './allowance.js';
import type { Allowance } from './allowance.js';
import type { OperationStream } from './choosing/operation-stream.js';
import type { ClockBase } from './clock-base.js';
import { errorCodes, errorSlotOf, shortSlot, timeoutSlot, verifySlot } from './error-codes.js';
import type { ErrorRules } from './error-rules.js';
import { firstStart, lastEnd } from './lane-memory.js';
import type { LaneMemory } from './lane-memory.js';
import { Recorder } from './recorder.js';
import type { Verifier } from './verify/verifier.js';

export interface ConcurrentLaneParts {
  readonly engine: ConcurrentEngine;
  readonly stream: OperationStream;
  readonly allowance: Allowance;
  readonly memory: LaneMemory;
  /** One for every operation in flight. */
  readonly buffers: readonly Uint8Array[];
  readonly clock: ClockBase;
  readonly rules: ErrorRules;
  /** One for each buffer; none when nothing is verified. */
  readonly verifiers: readonly Verifier[];
}

/** One of the operations that may be in flight at once. */
interface Place {
  readonly index: number;
  readonly operation: Operation;
  readonly buffer: Uint8Array;
  readonly done: Completion;
  readonly verifier: Verifier | undefined;
  slot: number;
  startNs: number;
}

/**
 * Keeps as many operations in flight as there are buffers (closed loop): each that ends is followed by the next in its
 * place. Service time runs from the issue until this thread's event loop hands over the completion.
 */
export class ConcurrentLane {
  /** The error that ended it (error_policy: stop). */
  stoppedBy = '';
  readonly #engine: ConcurrentEngine;
  readonly #stream: OperationStream;
  readonly #allowance: Allowance;
  readonly #cells: Float64Array;
  readonly #starts: Float64Array;
  readonly #recorder: Recorder;
  readonly #clock: ClockBase;
  readonly #rules: ErrorRules;
  readonly #places: readonly Place[];
  #inFlight = 0;
  #isOver = false;
  #resolve: (endedBy: EndedBy) => void = () => undefined;
  #reject: (bug: unknown) => void = () => undefined;

  constructor(parts: ConcurrentLaneParts) {
    this.#engine = parts.engine;
    this.#stream = parts.stream;
    this.#allowance = parts.allowance;
    this.#cells = parts.memory.cells;
    this.#starts = parts.memory.starts;
    this.#recorder = new Recorder(parts.memory);
    this.#clock = parts.clock;
    this.#rules = parts.rules;
    this.#places = parts.buffers.map((buffer, index) =>
      this.#placeOf(buffer, index, parts.verifiers[index]),
    );
  }

  /** From the first operation until the last one has ended. @throws what is no system error: a bug of the engine */
  run(): Promise<EndedBy> {
    const nowNs = this.#clock.now();
    this.#cells[firstStart] = nowNs;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      for (const place of this.#places) this.#issue(place, this.#clock.now());
      if (this.#inFlight === 0) this.#end(nowNs);
    });
  }

  #placeOf(buffer: Uint8Array, index: number, verifier: Verifier | undefined): Place {
    const place: Place = {
      index,
      operation: blankOperation(),
      buffer,
      done: (error, moved) => {
        this.#complete(place, error, moved);
      },
      verifier,
      slot: 0,
      startNs: 0,
    };
    return place;
  }

  #issue(place: Place, nowNs: number): void {
    if (this.#isOver) return;
    const slot = this.#allowance.next(place.operation, nowNs);
    if (slot < 0) {
      this.#isOver = true;
      return;
    }
    place.slot = slot;
    place.startNs = place.verifier?.before(place.operation, place.buffer) ?? nowNs;
    this.#starts[place.index] = place.startNs;
    this.#inFlight++;
    try {
      this.#engine.start(place.operation, place.buffer, place.done);
    } catch (error) {
      // Later, so that a lane that only fails still hears the event loop.
      setImmediate(place.done, error as Error, 0);
    }
  }

  #complete(place: Place, error: Error | null, moved: number): void {
    const endNs = this.#clock.now();
    this.#starts[place.index] = 0;
    this.#inFlight--;
    try {
      this.#count(place, this.#codeOf(place, error, moved, endNs), endNs);
      this.#issue(place, place.verifier === undefined ? endNs : this.#clock.now());
    } catch (bug) {
      this.#isOver = true;
      this.#reject(bug);
      return;
    }
    if (this.#inFlight === 0) this.#end(endNs);
  }

  /** @returns -1 for a good one */
  #codeOf(place: Place, error: Error | null, moved: number, endNs: number): number {
    const { operation, buffer, verifier } = place;
    let code = -1;
    if (error !== null) code = errorSlotOf(error);
    else if (moved !== operation.bytes) code = shortSlot;
    if (this.#stream.churns) this.#stream.settle(operation, code < 0);
    if (verifier?.after(operation, buffer, code < 0) === false) return verifySlot;
    return code < 0 && endNs - place.startNs > this.#rules.timeoutNs ? timeoutSlot : code;
  }

  #count({ operation, slot, startNs }: Place, code: number, endNs: number): void {
    if (code < 0) {
      this.#recorder.done(slot, endNs - startNs);
      if (this.#stream.varies) this.#recorder.moved(slot, operation.bytes);
      return;
    }
    this.#recorder.failed(slot, code, endNs - startNs);
    if (this.#rules.stopOn[slot] === 0 || this.stoppedBy !== '') return;
    this.#isOver = true;
    this.stoppedBy = `${operation.kind} failed with ${errorCodes[code] ?? ''}`;
  }

  #end(nowNs: number): void {
    this.#cells[lastEnd] = nowNs;
    this.#resolve(this.stoppedBy === '' ? this.#allowance.endedBy : 'error');
  }
}
