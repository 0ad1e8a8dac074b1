import type { EndedBy } from '../../../shared/model/messages.js';
import type { OperationKind } from '../../../shared/model/operation.js';
import type { BlockingEngine } from '../../engines/engine.js';
import { blankOperation } from '../allowance.js';
import type { Allowance } from '../allowance.js';
import { errorSlotOf, otherSlot, shortSlot, slotOf } from '../error-codes.js';
import type { ErrorRules } from '../error-rules.js';
import { firstStart, lastEnd } from '../lane-memory.js';
import type { LaneMemory } from '../lane-memory.js';
import { Ledger } from '../ledger.js';
import type { OperationStream } from '../choosing/operation-stream.js';
import type { BlockBatch } from './block-batch.js';

export interface BatchedLaneParts {
  /** Tells what an error was that WASI has no name for. */
  readonly engine: BlockingEngine;
  readonly batch: BlockBatch;
  readonly stream: OperationStream;
  readonly allowance: Allowance;
  readonly memory: LaneMemory;
  readonly buffer: Uint8Array;
  readonly rules: ErrorRules;
}

/** Errors for which WASI has a number of its own (wasi_snapshot_preview1, `errno`). */
const wasiErrors: ReadonlyMap<number, number> = new Map(
  Object.entries({
    EACCES: 2,
    EAGAIN: 6,
    EBADF: 8,
    EFBIG: 22,
    EINVAL: 28,
    EIO: 29,
    EISDIR: 31,
    ENODEV: 43,
    ENOMEM: 48,
    ENOSPC: 51,
    ENXIO: 60,
    EPERM: 63,
    EROFS: 69,
    ETIMEDOUT: 73,
  }).map(([code, number]) => [number, slotOf(code)]),
);

/**
 * A lane (closed loop) of reads and writes of blocks, which are chosen up to 64 at once and carried out without JavaScript in
 * between. The clock is read after each and before the first of those that are done in a row, so that service times have neither
 * choosing nor recording in them. What has been done is recorded after each slice, or each operation that takes longer.
 */
export class BatchedLane {
  readonly #engine: BlockingEngine;
  readonly #batch: BlockBatch;
  readonly #stream: OperationStream;
  readonly #allowance: Allowance;
  readonly #cells: Float64Array;
  readonly #starts: Float64Array;
  readonly #ledger: Ledger;
  readonly #buffer: Uint8Array;
  readonly #operation = blankOperation();
  /** Places of the batch: the next one to be done, and the end of those chosen. */
  #next = 0;
  #chosen = 0;
  /** Why there are no more. */
  #endedBy: EndedBy | undefined;
  #nowNs = 0.5;

  constructor(parts: BatchedLaneParts) {
    this.#engine = parts.engine;
    this.#batch = parts.batch;
    this.#stream = parts.stream;
    this.#allowance = parts.allowance;
    this.#cells = parts.memory.cells;
    this.#starts = parts.memory.starts;
    this.#ledger = new Ledger(parts.memory, parts.stream, parts.rules);
    this.#buffer = parts.buffer;
  }

  /** The error that ended it (error_policy: stop). */
  get stoppedBy(): string {
    return this.#ledger.stoppedBy;
  }

  /** The first operation begins at `nowNs`. */
  begin(nowNs: number): void {
    this.#nowNs = nowNs;
    this.#cells[firstStart] = nowNs;
  }

  /** A slice of operations, or one that takes longer; says why when there are to be no more. */
  slice(): EndedBy | undefined {
    const allowance = this.#allowance;
    if (this.#next === this.#chosen) this.#choose();
    if (this.#next === this.#chosen) return this.#end(this.#endedBy ?? 'operations');
    if (allowance.isStopped) return this.#end('aborted');
    this.#starts[0] = this.#nowNs;
    const from = this.#next;
    const { deadlineNs } = allowance;
    this.#next = this.#batch.run(from, this.#chosen, deadlineNs);
    const isStopped = this.#record(from, this.#next);
    if (isStopped) return this.#end('error');
    return this.#nowNs >= deadlineNs ? this.#end('duration') : undefined;
  }

  #choose(): void {
    const batch = this.#batch;
    const operation = this.#operation;
    const allowance = this.#allowance;
    let chosen = 0;
    while (this.#endedBy === undefined && chosen < batch.capacity) {
      const slot = allowance.next(operation, this.#nowNs);
      if (slot < 0) this.#endedBy = allowance.endedBy;
      else batch.put(chosen++, operation, slot);
    }
    this.#next = 0;
    this.#chosen = chosen;
  }

  /** @returns whether an error is to end the load */
  #record(from: number, to: number): boolean {
    const batch = this.#batch;
    const operation = this.#operation;
    const ledger = this.#ledger;
    let startNs = batch.begunNs;
    let isStopped = false;
    for (let place = from; place < to; place++) {
      const endNs = batch.endedNs(place);
      const tookNs = endNs - startNs;
      const moved = batch.moved(place);
      const slot = batch.slot(place);
      operation.bytes = batch.bytes(place);
      let code = -1;
      if (moved !== operation.bytes) code = moved < 0 ? this.#codeOf(place, -moved) : shortSlot;
      code = ledger.judge(operation, this.#buffer, code, tookNs, undefined);
      if (code < 0) ledger.done(operation, slot, tookNs);
      else if (ledger.failed(this.#kindOf(place), slot, code, tookNs)) isStopped = true;
      startNs = endNs;
    }
    this.#nowNs = startNs;
    return isStopped;
  }

  #kindOf(place: number): OperationKind {
    this.#batch.take(place, this.#operation);
    return this.#operation.kind;
  }

  /** WASI says of most errors only that it does not know them: then the operation is tried once more by other means. */
  #codeOf(place: number, number: number): number {
    const known = wasiErrors.get(number);
    if (known !== undefined) return known;
    this.#batch.take(place, this.#operation);
    try {
      this.#engine.perform(this.#operation, this.#buffer);
      return otherSlot;
    } catch (error) {
      return errorSlotOf(error);
    }
  }

  /** What was chosen and not done comes first in the part of the stage that follows. */
  #end(by: EndedBy): EndedBy {
    const left = Array.from({ length: this.#chosen - this.#next }, (_, i) => {
      const operation = blankOperation();
      this.#batch.take(this.#next + i, operation);
      return operation;
    });
    this.#stream.giveBack(left);
    this.#chosen = this.#next;
    this.#cells[lastEnd] = this.#nowNs;
    this.#starts[0] = 0;
    return by;
  }
}
