import type { OperationKind } from '../../shared/model/operation.js';
import type { Operation } from '../engines/engine.js';
import { errorCodes, timeoutSlot, verifySlot } from './error-codes.js';
import type { ErrorRules } from './error-rules.js';
import type { LaneMemory } from './lane-memory.js';
import type { OperationStream } from './choosing/operation-stream.js';
import { Recorder } from './recorder.js';
import type { Verifier } from './verify/verifier.js';

/**
 * What becomes of operations that have ended: judged, and counted with their latencies in ns. Hot path, in steps: as one
 * they are too much for the compiler to put in line, and an open loop costs a tenth more (measured).
 */
export class Ledger {
  /** The error that is to end the load (error_policy: stop). */
  stoppedBy = '';
  readonly recorder: Recorder;
  readonly #stream: OperationStream;
  // Of their types from the beginning: see Random.
  readonly #churns: boolean = false;
  readonly #varies: boolean = false;
  readonly #timeoutNs: number = 0.5;
  readonly #stopOn: Uint8Array;

  constructor(memory: LaneMemory, stream: OperationStream, rules: ErrorRules) {
    this.recorder = new Recorder(memory);
    this.#stream = stream;
    this.#churns = stream.churns;
    this.#varies = stream.varies;
    this.#timeoutNs = rules.timeoutNs;
    this.#stopOn = rules.stopOn;
  }

  /**
   * Whether an operation that moved all its bytes (`code` -1; else a place in errorCodes) was a good one, too.
   * @returns -1, or the place in errorCodes
   */
  judge(
    operation: Operation,
    buffer: Uint8Array,
    code: number,
    tookNs: number,
    verifier: Verifier | undefined,
  ): number {
    if (this.#churns) this.#stream.settle(operation, code < 0);
    if (verifier !== undefined && !verifier.after(operation, buffer, code < 0)) return verifySlot;
    return code < 0 && tookNs > this.#timeoutNs ? timeoutSlot : code;
  }

  /** @param slot the kind's place in the mix */
  done(operation: Operation, slot: number, tookNs: number): void {
    this.recorder.done(slot, tookNs);
    if (this.#varies) this.recorder.moved(slot, operation.bytes);
  }

  /** @returns whether this error is to end the load */
  failed(kind: OperationKind, slot: number, code: number, tookNs: number): boolean {
    this.recorder.failed(slot, code, tookNs);
    if (this.#stopOn[slot] === 0) return false;
    if (this.stoppedBy === '') this.stoppedBy = `${kind} failed with ${errorCodes[code] ?? ''}`;
    return true;
  }
}
