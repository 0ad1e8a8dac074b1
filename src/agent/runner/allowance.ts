import type { EndedBy } from '../../shared/model/messages.js';
import type { Operation } from '../engines/engine.js';
import type { OperationStream } from './choosing/operation-stream.js';
import { stopFlag } from './shared-memory.js';

/** What ends a lane: its shares of the stage's limits. Infinity where there is no limit. */
export interface Budget {
  /** ns after the clock base; nothing is issued at or after it. */
  deadlineNs: number;
  /** Operations to issue, whether they succeed or fail. */
  operations: number;
  /** Bytes to issue; an operation that does not fit is not issued. */
  bytes: number;
}

/** To be filled in by `next`. All are made here, so that they have one shape. */
export function blankOperation(): Operation {
  return {
    kind: 'stat',
    file: 0,
    // A double from the beginning, so that offsets beyond 2 GiB are nothing new to compiled code.
    offset: 0.5,
    bytes: 0,
    lane: 0,
    entry: 0,
    to: 0,
  };
}

/** Hands out a lane's operations as long as the stage's limits allow, and knows which of them said no. */
export class Allowance {
  endedBy: EndedBy = 'operations';
  readonly #stream: OperationStream;
  readonly #budget: Budget;
  readonly #flags: Int32Array;

  /** @param flags RunControl.flags */
  constructor(stream: OperationStream, budget: Budget, flags: Int32Array) {
    this.#stream = stream;
    this.#budget = budget;
    this.#flags = flags;
  }

  get isStopped(): boolean {
    return this.#flags[stopFlag] !== 0;
  }

  /** Nothing is issued at or after it, ns after the clock base. */
  get deadlineNs(): number {
    return this.#budget.deadlineNs;
  }

  /**
   * Fills in the next operation, to be issued at `nowNs`. Hot path.
   * @returns the kind's place in the mix; -1 when there is to be no more, and `endedBy` says why
   */
  next(operation: Operation, nowNs: number): number {
    const budget = this.#budget;
    // Not atomic: a builtin call per operation; a flag that is seen one operation late is seen soon enough.
    if (this.#flags[stopFlag] !== 0) return this.#end('aborted');
    if (nowNs >= budget.deadlineNs) return this.#end('duration');
    if (budget.operations === 0) return this.#end('operations');
    const slot = this.#stream.next(operation);
    if (slot < 0) return this.#end('exhausted');
    if (budget.bytes < operation.bytes) return this.#end('bytes');
    budget.operations--;
    budget.bytes -= operation.bytes;
    return slot;
  }

  #end(by: EndedBy): number {
    this.endedBy = by;
    return -1;
  }
}
