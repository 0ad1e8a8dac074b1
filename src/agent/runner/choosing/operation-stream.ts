import type { OperationKind } from '../../../shared/model/operation.js';
import type { Access, MixEntry } from '../../../shared/model/plan.js';
import type { Operation } from '../../engines/engine.js';
import { ChurnPool, laneOf, numberOf } from '../churn-pool.js';
import type { ChurnState } from '../churn-pool.js';
import { EvenBlocks } from './block-space.js';
import type { BlockSpace } from './block-space.js';
import { pickerFor } from './pick.js';
import type { Picker } from './picker.js';
import { Random } from './random.js';

export interface StreamOptions {
  readonly mix: readonly MixEntry[];
  readonly access: Access;
  readonly files: { readonly from: number; readonly to: number };
  readonly fileSizeBytes: number;
  readonly blockSizeBytes: number;
  readonly seed: number;
  readonly stage: number;
  readonly agent: number;
  /** Agents that share the files and divide them where the access says so. 1 in a private namespace. */
  readonly sharers: number;
  readonly worker: number;
  readonly workers: number;
  readonly churn: { readonly files: ChurnState; readonly folders: ChurnState };
}

/** Bytes that a complete operation moves. */
export function bytesOf(
  kind: OperationKind,
  sizes: { readonly blockSizeBytes: number; readonly fileSizeBytes: number },
): number {
  if (kind === 'read' || kind === 'write') return sizes.blockSizeBytes;
  return kind === 'get' || kind === 'put' ? sizes.fileSizeBytes : 0;
}

/**
 * What one worker does, one operation after another: a function of (seed, stage, agent, worker) and, for delete and
 * rmdir, of what was made before. Blocks are whole: a rest of a file that is smaller than a block is left alone.
 */
export class OperationStream {
  readonly kinds: readonly OperationKind[];
  /** The mix makes or removes entries, so the outcome of each operation has to be told with `settle`. */
  readonly churns: boolean;
  readonly files: ChurnPool;
  readonly folders: ChurnPool;
  readonly #options: StreamOptions;
  readonly #random: Random;
  /** Upper bounds of the kinds' parts of 0 … 2^32. */
  readonly #bounds: Float64Array;
  readonly #bytes: Float64Array;
  readonly #targets: readonly Target[];

  constructor(options: StreamOptions) {
    const { mix, seed, stage, agent, worker } = options;
    this.#options = options;
    this.kinds = mix.map(({ operation }) => operation);
    this.churns = this.kinds.some(isChurn);
    this.files = new ChurnPool(worker, options.churn.files);
    this.folders = new ChurnPool(worker, options.churn.folders);
    this.#random = new Random([seed, stage, agent, worker]);
    this.#bounds = boundsOf(mix);
    this.#bytes = Float64Array.from(this.kinds, (kind) => bytesOf(kind, options));
    this.#targets = this.kinds.map((kind, slot) => this.#targetOf(kind, slot));
  }

  /**
   * Fills in the next operation. Hot path.
   * @returns the kind's place in `kinds`; -1 when there is nothing left that could be removed and nothing else to do
   */
  next(operation: Operation): number {
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
      const target = this.#targets[slot];
      target?.space.locate(target.picker.next(), operation);
    }
    return slot;
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
    } else {
      const entry = pool.take();
      operation.lane = laneOf(entry);
      operation.entry = numberOf(entry);
      // Never a name that is there already: a rename replaces nothing.
      if (kind === 'rename') operation.to = pool.create();
    }
  }

  #targetOf(kind: OperationKind, slot: number): Target {
    const { files, blockSizeBytes, fileSizeBytes } = this.#options;
    const inBlocks = kind === 'read' || kind === 'write';
    const perFile = inBlocks ? Math.floor(fileSizeBytes / blockSizeBytes) : 1;
    const space = new EvenBlocks(files, perFile, inBlocks ? blockSizeBytes : 0);
    const picker = pickerFor(
      { ...this.#options, slot },
      this.#random,
      Math.max(1, space.total),
      inBlocks ? blockSizeBytes : undefined,
    );
    return { picker, space };
  }
}

/** Where the operations of one kind go. */
interface Target {
  readonly picker: Picker;
  readonly space: BlockSpace;
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
