import { emptyChurn } from '../../src/agent/runner/churn-pool.js';
import type { StreamOptions } from '../../src/agent/runner/choosing/operation-stream.js';

/** Of the only worker of the only agent, with nothing to remove; every field can be replaced. */
export function streamOptions(
  fields: Partial<StreamOptions> &
    Pick<StreamOptions, 'mix' | 'files' | 'fileSizeBytes' | 'blockSizeBytes'>,
): StreamOptions {
  return {
    access: 'random',
    datasetHash: 'd1',
    seed: 1,
    stage: 0,
    agent: 0,
    sharers: 1,
    worker: 0,
    workers: 1,
    churn: { files: emptyChurn, folders: emptyChurn },
    ...fields,
  };
}
