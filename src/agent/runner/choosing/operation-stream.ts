import { operationKinds } from '../../../shared/model/operation.js';
import type { OperationKind } from '../../../shared/model/operation.js';
import type { MixEntry } from '../../../shared/model/plan.js';
import type { Operation } from '../../engines/engine.js';
import { ChurnPool, laneOf, numberOf } from '../churn-pool.js';
import type { ChurnState } from '../churn-pool.js';
import { targetFor } from './aim.js';
import type { AimOptions } from './aim.js';
import { bytesOf } from './bytes-of.js';
import { FileSizes } from './file-sizes.js';
import { Random } from './random.js';
import type { Target } from './targets.js';

export interface StreamOptions extends AimOptions {
  readonly mix: readonly MixEntry[];
  readonly churn: { readonly files: ChurnState; readonly folders: ChurnState };
}

/**
 * What one worker does, one operation after another: a function of (seed, stage, agent, worker) and, for delete and
 * rmdir, of what was made before. Blocks are whole: a rest of a file that is smaller than a block is left alone.
 */
export class OperationStream {
  readonly kinds: readonly OperationKind[];
  /** The mix makes or removes entries, so the outcome of each operation has to be told with `settle`. */
  readonly churns: boolean = false;
  /** Of some kind not all operations move the same number of bytes. */
  readonly varies: boolean = false;
  readonly files: ChurnPool;
  readonly folders: ChurnPool;
  readonly #options: StreamOptions;
  readonly #random: Random;
  /** Upper bounds of the kinds' parts of 0 … 2^32. */
  readonly #bounds: Float64Array;
  readonly #bytes: Float64Array;
  readonly #fileSizes: FileSizes;
  readonly #targets: readonly Target[];
  /** A mix of one kind that does not churn, the most common one, has a shorter way. */
  readonly #only: Target | undefined;
  readonly #onlyKind: OperationKind = 'stat';
  readonly #onlyBytes: number = 0;
  readonly #givenBack: Operation[] = [];

  constructor(options: StreamOptions) {
    const { mix, seed, stage, agent, worker } = options;
    this.#options = options;
    // The words of the source code itself: those from a message are others to V8, and are compared letter by letter.
    this.kinds = mix.map(({ operation }) => operationKinds.find((kind) => kind === operation)!);
    this.churns = this.kinds.some(isChurn);
    this.files = new ChurnPool(worker, options.churn.files);
    this.folders = new ChurnPool(worker, options.churn.folders);
    this.#random = new Random([seed, stage, agent, worker]);
    this.#bounds = boundsOf(mix);
    this.varies = this.kinds.some((kind) => bytesOf(kind, options) === undefined);
    this.#bytes = Float64Array.from(this.kinds, (kind) => bytesOf(kind, options) ?? 0);
    this.#fileSizes = new FileSizes(
      options.fileSizes ?? options.fileSizeBytes,
      options.datasetHash,
      options.listedSizes,
    );
    this.#targets = this.kinds.map((kind, slot) =>
      targetFor(options, kind, slot, this.#random, this.#fileSizes),
    );
    if (this.churns || mix.length > 1) return;
    this.#only = this.#targets[0];
    this.#onlyKind = this.kinds[0] ?? 'stat';
    this.#onlyBytes = this.#bytes[0] ?? 0;
  }

  /**
   * Fills in the next operation. Hot path.
   * @returns the kind's place in `kinds`; -1 when there is nothing left that could be removed and nothing else to do
   */
  next(operation: Operation): number {
    if (this.#givenBack.length > 0) return this.#again(operation);
    const only = this.#only;
    if (only !== undefined) {
      if (operation.kind !== this.#onlyKind) operation.kind = this.#onlyKind;
      operation.bytes = this.#onlyBytes;
      only.aim(operation);
      return 0;
    }
    let slot = 0;
    if (this.#bounds.length > 1) {
      const draw = this.#random.next();
      while (draw >= (this.#bounds[slot] ?? Infinity)) slot++;
    }
    if (this.churns) {
      slot = this.#available(slot);
      if (slot < 0) return -1;
    }
    const kind = this.kinds[slot] ?? 'stat';
    operation.kind = kind;
    operation.bytes = this.#bytes[slot] ?? 0;
    if (this.churns && isChurn(kind)) this.#churn(operation);
    else {
      this.#targets[slot]?.aim(operation);
    }
    return slot;
  }

  /** Operations on blocks that `next` gave and nobody issued, in order: it gives them again. */
  giveBack(operations: readonly Operation[]): void {
    this.#givenBack.unshift(...operations);
  }

  #again(operation: Operation): number {
    Object.assign(operation, this.#givenBack.shift());
    return this.kinds.indexOf(operation.kind);
  }

  /** How a churn operation ended; others need not be told. */
  settle(operation: Operation, done: boolean): void {
    if (!done) return;
    if (operation.kind === 'put') this.files.created(operation.entry);
    else if (operation.kind === 'rename') this.files.created(operation.to);
    else if (operation.kind === 'mkdir') this.folders.created(operation.entry);
  }

  /** This slot, or the next one that has something to work on. */
  #available(slot: number): number {
    for (let i = 0; i < this.kinds.length; i++) {
      const candidate = (slot + i) % this.kinds.length;
      const kind = this.kinds[candidate];
      const isStarved =
        ((kind === 'delete' || kind === 'rename') && this.files.isEmpty) ||
        (kind === 'rmdir' && this.folders.isEmpty);
      if (!isStarved) return candidate;
    }
    return -1;
  }

  #churn(operation: Operation): void {
    const { kind } = operation;
    const pool = kind === 'mkdir' || kind === 'rmdir' ? this.folders : this.files;
    if (kind === 'put' || kind === 'mkdir') {
      operation.lane = this.#options.worker;
      operation.entry = pool.create();
      if (kind === 'put')
        operation.bytes = this.#fileSizes.ofChurn(operation.lane, operation.entry);
    } else {
      const entry = pool.take();
      operation.lane = laneOf(entry);
      operation.entry = numberOf(entry);
      // Never a name that is there already: a rename replaces nothing.
      if (kind === 'rename') operation.to = pool.create();
    }
  }
}

function isChurn(kind: OperationKind): boolean {
  return (
    kind === 'put' || kind === 'delete' || kind === 'rename' || kind === 'mkdir' || kind === 'rmdir'
  );
}

function boundsOf(mix: readonly MixEntry[]): Float64Array {
  const sum = mix.reduce((total, { weight }) => total + weight, 0);
  let reached = 0;
  const bounds = Float64Array.from(mix, ({ weight }) => {
    reached += weight;
    return (reached / sum) * 4_294_967_296;
  });
  bounds[bounds.length - 1] = Infinity;
  return bounds;
}
