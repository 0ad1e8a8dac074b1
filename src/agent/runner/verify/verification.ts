import type { Assignment, DatasetAssignment } from '../../../shared/model/assignment.js';
import { keyOf } from '../choosing/hash.js';
import { dataBlock } from '../content/fill-blocks.js';
import { filePath } from '../dataset-layout.js';
import type { StageJob, WorkerEvent } from '../jobs.js';
import type { ClockBase } from '../clock-base.js';
import { Generations, unitsPerFile } from './generations.js';
import { Pattern } from './pattern.js';
import { Verifier } from './verifier.js';

export function patternOf(dataset: DatasetAssignment, owner: number): Pattern {
  const compress = typeof dataset.content === 'string' ? 1 : dataset.content.compress;
  return new Pattern(keyOf(dataset.hash) >>> 0, owner, compress);
}

/** Agents with files of their own have the same numbers for them: 0 in a shared namespace, else the agent's index + 1. */
export function ownerOf({
  namespace,
  agentIndex,
}: Pick<Assignment, 'namespace' | 'agentIndex'>): number {
  return namespace === 'shared' ? 0 : agentIndex + 1;
}

/** For one operation in flight; undefined when the dataset is not a verifiable one. */
export function verifierFor(
  job: StageJob,
  clock: ClockBase,
  say: (event: WorkerEvent) => void,
): Verifier | undefined {
  const { dataset, stage, writes } = job;
  if (!dataset.verify) return undefined;
  const shape = { firstFile: dataset.use.from, unitsPerFile: unitsPerFile(dataset.fileSizeBytes) };
  return new Verifier({
    pattern: patternOf(dataset, job.owner),
    run: job.salt >>> 0,
    generations: writes && new Generations(shape, stage.index, writes),
    checksReads: stage.verify,
    clock,
    pathOf: (file) => filePath(file, dataset.directories),
    say: (line) => {
      say({ kind: 'mismatch', line: `stage "${stage.name}": ${line}` });
    },
    units: Math.ceil(bufferBytes(job) / dataBlock),
  });
}

/** A get is compared as a whole. */
export function bufferBytes({ stage, dataset }: Pick<StageJob, 'stage' | 'dataset'>): number {
  const gets = stage.mix.some(({ operation }) => operation === 'get');
  if (!dataset.verify || !stage.verify || !gets) return stage.blockSizeBytes;
  return Math.max(stage.blockSizeBytes, Math.ceil(dataset.fileSizeBytes / dataBlock) * dataBlock);
}
