import type { Assignment, StageAssignment } from '../../shared/model/assignment.js';
import { grainOf } from '../../shared/model/sizes.js';
import { fioStageProblems } from '../../shared/model/fio-stage.js';
import { formatSize } from '../../shared/model/units.js';
import { stageOptionsOf, tooManyToOpen } from '../engines/engine.js';
import { unsupported } from '../engines/registry.js';
import type { ParsedTarget } from '../engines/registry.js';
import { sizesOf } from './choosing/bytes-of.js';
import { fileSizesOf } from './choosing/file-sizes.js';
import { RunnerFailure } from './failure.js';
import { roomForFiles, tooManyThreads } from './open-files.js';
import { checkFio } from './fio/preflight.js';

/** What O_DIRECT is aligned to at least; devices with larger blocks answer EINVAL by themselves. */
const sectorBytes = 512;

/** What a stage asks for can be done with this target and dataset. @throws RunnerFailure{config} */
export async function checkStages(
  assignment: Assignment,
  engine: ParsedTarget['engine'],
): Promise<void> {
  const options = await engine.options();
  for (const stage of assignment.stages) {
    const refused = options.safeParse(stageOptionsOf(stage)).error?.issues[0]?.message;
    const problem = refused ?? problemOf(stage, assignment, engine);
    if (problem !== undefined) {
      throw new RunnerFailure('config', `stage "${stage.name}": ${problem}`);
    }
  }
  await checkFio(assignment);
}

function problemOf(
  stage: StageAssignment,
  { dataset }: Assignment,
  engine: ParsedTarget['engine'],
): string | undefined {
  const kinds = stage.mix.map(({ operation }) => operation);
  const foreign = unsupported(engine, kinds);
  if (foreign.length > 0) return `${foreign.join(', ')} cannot be done with ${engine.name} targets`;
  if (stage.fio !== undefined) {
    if (engine.name !== 'file') return `fio needs files, not ${engine.name} targets`;
    // Whether fio writes, only fio's own options would tell: no consent covers that.
    if (dataset.given !== undefined)
      return `fio needs files that Muster makes, not dataset.${dataset.given.kind}`;
    const [problem] = fioStageProblems(stage);
    if (problem !== undefined) return `${problem[0]}: ${problem[1]}`;
  } else {
    const problem = tooManyThreads(stage.threads);
    if (problem !== undefined) return problem;
  }
  const usesBlocks = kinds.includes('read') || kinds.includes('write');
  if (usesBlocks && !dataset.given && dataset.fileSizeBytes < stage.blockSizeBytes) {
    return `block_size (${String(stage.blockSizeBytes)}) is larger than the dataset's files (${String(dataset.fileSizeBytes)})`;
  }
  if (usesBlocks && stage.iodepth > 1 && stage.fio === undefined && engine.name === 'file') {
    const unopened = tooManyToOpen(dataset.use, roomForFiles(stage.threads));
    if (unopened !== undefined) return unopened;
  }
  const homeless = blockWithoutFile(stage, dataset);
  if (homeless !== undefined) {
    return `no file of the dataset has room for a block of ${formatSize(homeless)}; use a smaller block_size or larger files`;
  }
  const { read, write } = stage.blockSizes ?? {
    read: stage.blockSizeBytes,
    write: stage.blockSizeBytes,
  };
  const oddBlock = [read, write].map(grainOf).find((bytes) => bytes % sectorBytes !== 0);
  if (stage.direct && oddBlock !== undefined) {
    return `direct needs a block_size that is a multiple of ${String(sectorBytes)}, not ${String(oddBlock)}`;
  }
  const fileGrain = grainOf(dataset.fileSizes ?? dataset.fileSizeBytes);
  if (stage.direct && kinds.includes('put') && fileGrain % sectorBytes !== 0) {
    return `put with direct needs a file_size that is a multiple of ${String(sectorBytes)}, not ${String(fileGrain)}`;
  }
  const usesFiles = usesBlocks || kinds.some((kind) => ['get', 'stat', 'list'].includes(kind));
  if (usesFiles && dataset.use.to <= dataset.use.from) return 'the dataset has no files for it';
  return undefined;
}

/** Files whose sizes are drawn may all be too small, although the largest that could have been drawn would do. */
function blockWithoutFile(
  stage: StageAssignment,
  dataset: Assignment['dataset'],
): number | undefined {
  if (dataset.fileSizes === undefined) return undefined;
  const sizes = fileSizesOf(dataset);
  const { from, to } = dataset.use;
  const grains = stage.mix
    .filter(({ operation }) => operation === 'read' || operation === 'write')
    .map(({ operation }) => grainOf(sizesOf(operation, { ...dataset, ...stage })));
  const largest = Math.max(0, ...grains);
  for (let file = from; file < to; file++) if (sizes.of(file) >= largest) return undefined;
  return to > from ? largest : undefined;
}
