import { operationKinds } from '../../shared/model/operation.js';
import type { BlockingEngine, EngineDefinition, Operation, StageOptions } from './engine.js';
import { stageOptionsSchema } from './engine.js';

/** Every operation is done at once and moves what it should: what is measured then is Muster itself. */
class NullEngine implements BlockingEngine {
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

export const nullEngine: EngineDefinition<StageOptions> = {
  name: 'null',
  options: stageOptionsSchema,
  supports: new Set(operationKinds),
  needsDataset: false,
  open: () => Promise.resolve(new NullEngine()),
};
