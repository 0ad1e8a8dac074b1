import { operationKinds } from '../../shared/model/operation.js';
import type {
  BlockingEngine,
  Completion,
  ConcurrentEngine,
  EngineDefinition,
  Operation,
  StageOptions,
} from './engine.js';
import { stageOptionsSchema } from './engine.js';

/** Every operation is done at once and moves what it should: what is measured then is Muster itself. */
class NullEngine implements BlockingEngine {
  readonly kind = 'blocking';
  readonly mechanism = 'null';

  perform(operation: Operation): number {
    return operation.bytes;
  }

  finish(): void {
    // Nothing was written.
  }

  close(): void {
    // Nothing was opened.
  }
}

/** Operations are done at the next turn of the event loop, all that were begun until then. */
class ConcurrentNullEngine implements ConcurrentEngine {
  readonly kind = 'concurrent';
  readonly mechanism = 'null';
  readonly usesLibuv = false;
  #begun: Completion[] = [];
  #moved: number[] = [];
  readonly #turn = (): void => {
    const begun = this.#begun;
    const moved = this.#moved;
    this.#begun = [];
    this.#moved = [];
    for (let i = 0; i < begun.length; i++) begun[i]?.(null, moved[i] ?? 0);
  };

  start(operation: Operation, _buffer: Uint8Array, done: Completion): void {
    if (this.#begun.length === 0) setImmediate(this.#turn);
    this.#begun.push(done);
    this.#moved.push(operation.bytes);
  }

  finish(): void {
    // Nothing was written.
  }

  close(): void {
    // Nothing was opened.
  }
}

export const nullEngine: EngineDefinition<StageOptions> = {
  name: 'null',
  options: stageOptionsSchema,
  supports: new Set(operationKinds),
  concurrent: new Set(operationKinds),
  needsDataset: false,
  open: ({ iodepth }) =>
    Promise.resolve(iodepth > 1 ? new ConcurrentNullEngine() : new NullEngine()),
};
