import type { DatasetAssignment, StageAssignment } from '../../../shared/model/assignment.js';
import { grainOf } from '../../../shared/model/sizes.js';
import type { BlockTables } from './aim.js';
import { blockTable } from './block-space.js';
import { sizesOf } from './bytes-of.js';
import { fileSizesOf } from './file-sizes.js';

/** What a stage's reads and writes need to find their blocks in files of different sizes; undefined when these are alike. */
export function blockTablesFor(
  dataset: DatasetAssignment,
  stage: StageAssignment,
): BlockTables | undefined {
  const sizes = fileSizesOf(dataset);
  if (sizes.all !== undefined) return undefined;
  const { from, to } = dataset.use;
  const grains = stage.mix
    .filter(({ operation }) => operation === 'read' || operation === 'write')
    .map(({ operation }) => grainOf(sizesOf(operation, { ...dataset, ...stage })));
  return new Map(
    [...new Set(grains)].map((grain) => [
      grain,
      blockTable(to - from, (file) => Math.floor(sizes.of(from + file) / grain)),
    ]),
  );
}
